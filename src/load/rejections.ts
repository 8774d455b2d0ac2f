import type { Reason } from "../errors.ts";
import { Sampled } from "../sampled.ts";

/** Interval in ms between two reports of the same kind of rejection. */
const intervalMs = 1000;

/** Rejections of one kind since the last report. */
export interface RejectionCount {
  readonly reason: Reason;
  /** Bound that was reached, such as `connections`. */
  readonly bound: string;
  readonly count: number;
}

/**
 * Counts rejections because of overload. Reports the first of a kind (a reason and a bound) at once, and further ones
 * together, at most once a second for each kind, so that a flood does not fill the log.
 */
export class Rejections {
  readonly #reports: Sampled<Omit<RejectionCount, "count">>;
  readonly #totals = new Map<Reason, number>();

  constructor(report: (rejections: RejectionCount) => void) {
    this.#reports = new Sampled({ intervalMs, pass: (kind, omitted) => report({ ...kind, count: omitted + 1 }) });
  }

  /** Rejections since the start of the process, by their reason. */
  get totals(): ReadonlyMap<Reason, number> {
    return this.#totals;
  }

  count(reason: Reason, bound: string): void {
    this.#totals.set(reason, (this.#totals.get(reason) ?? 0) + 1);
    this.#reports.add(`${reason} ${bound}`, { reason, bound });
  }

  /** Reports the rejections that no report contains yet. */
  flush(): void {
    this.#reports.flush();
  }
}

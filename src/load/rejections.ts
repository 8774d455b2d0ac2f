import type { Reason } from "../errors.ts";

/** Interval in ms between two reports of the same kind of rejection. */
const intervalMs = 1000;

/** Rejections of one kind since the last report. */
export interface RejectionCount {
  readonly reason: Reason;
  /** Bound that was reached, such as `connections`. */
  readonly bound: string;
  readonly count: number;
}

interface Kind {
  readonly reason: Reason;
  readonly bound: string;
  count: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Counts rejections because of overload. Reports the first of a kind (a reason and a bound) at once, and further ones
 * together, at most once a second for each kind, so that a flood does not fill the log.
 */
export class Rejections {
  readonly #report: (rejections: RejectionCount) => void;
  readonly #kinds = new Map<string, Kind>();
  readonly #totals = new Map<Reason, number>();

  constructor(report: (rejections: RejectionCount) => void) {
    this.#report = report;
  }

  /** Rejections since the start of the process, by their reason. */
  get totals(): ReadonlyMap<Reason, number> {
    return this.#totals;
  }

  count(reason: Reason, bound: string): void {
    this.#totals.set(reason, (this.#totals.get(reason) ?? 0) + 1);
    const name = `${reason} ${bound}`;
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { reason, bound, count: 0, timer: undefined };
      this.#kinds.set(name, kind);
    }
    kind.count++;
    if (kind.timer === undefined) this.#reportKind(kind);
  }

  /** Reports the rejections that no report contains yet. */
  flush(): void {
    for (const kind of this.#kinds.values()) {
      clearTimeout(kind.timer);
      kind.timer = undefined;
      if (kind.count > 0) this.#reportKind(kind);
    }
  }

  #reportKind(kind: Kind): void {
    const { reason, bound, count } = kind;
    kind.count = 0;
    kind.timer = setTimeout(() => {
      kind.timer = undefined;
      if (kind.count > 0) this.#reportKind(kind);
    }, intervalMs).unref();
    this.#report({ reason, bound, count });
  }
}

import { Sampled } from "../sampled.ts";

/** Time in ms between two reports. */
const intervalMs = 60_000;

/** Counts events of one kind. Reports the first at once, and further ones together, at most once a minute. */
export class MinuteCount {
  readonly #reports: Sampled<undefined>;
  #unreported = 0;
  #total = 0;

  /** `report` receives the number of events since the last report. */
  constructor(report: (count: number) => void) {
    this.#reports = new Sampled({
      intervalMs,
      pass: () => {
        const count = this.#unreported;
        this.#unreported = 0;
        report(count);
      },
    });
  }

  /** Events so far. */
  get total(): number {
    return this.#total;
  }

  add(count = 1): void {
    this.#total += count;
    this.#unreported += count;
    this.#reports.add("", undefined);
  }

  /** Reports the events that no report contains yet. */
  flush(): void {
    this.#reports.flush();
  }
}

/** Time in ms between two reports. */
const intervalMs = 60_000;

/** Counts events of one kind. Reports the first at once, and further ones together, at most once a minute. */
export class MinuteCount {
  readonly #report: (count: number) => void;
  #unreported = 0;
  #timer: NodeJS.Timeout | undefined;
  #total = 0;

  /** `report` receives the number of events since the last report. */
  constructor(report: (count: number) => void) {
    this.#report = report;
  }

  /** Events so far. */
  get total(): number {
    return this.#total;
  }

  add(count = 1): void {
    this.#total += count;
    this.#unreported += count;
    if (this.#timer === undefined) this.#reportNow();
  }

  /** Reports the events that no report contains yet. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unreported > 0) this.#report(this.#unreported);
    this.#unreported = 0;
  }

  #reportNow(): void {
    const count = this.#unreported;
    this.#unreported = 0;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#unreported > 0) this.#reportNow();
    }, intervalMs).unref();
    this.#report(count);
  }
}

/**
 * Limits the time that a consumer waits for the next event. Only time between `start` and `stop` counts, so a slow
 * consumer causes no timeout. Data without an event, such as a keep-alive, does not reset the time.
 *
 * Uses one Node.js timer per stream. If the timer fires too early, WaitTimer sets it again for the remaining time.
 */
export class WaitTimer {
  #limitMs: number;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #waitedMs = 0;
  #waitingSince: number | undefined;

  /** @param limitMs maximum wait in ms; 0: no limit */
  constructor(limitMs: number, expire: () => void) {
    this.#limitMs = limitMs;
    this.#expire = expire;
  }

  /** Starts a wait. */
  start(): void {
    if (this.#limitMs === 0) return;
    this.#waitingSince = performance.now();
    if (this.#timer === undefined) this.#arm(this.#limitMs - this.#waitedMs);
  }

  /** Ends a wait, with or without an event. */
  stop(): void {
    if (this.#waitingSince === undefined) return;
    this.#waitedMs += performance.now() - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  /** Resets the waited time after an event. */
  restart(limitMs: number): void {
    this.#waitedMs = 0;
    if (limitMs === this.#limitMs) return;
    this.#limitMs = limitMs;
    this.clear();
  }

  /** Cancels the timer. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waitingSince = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.max(1, Math.ceil(delayMs)));
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#waitingSince === undefined) return;
    const leftMs = this.#limitMs - this.#waitedMs - (performance.now() - this.#waitingSince);
    if (leftMs <= 0) this.#expire();
    else this.#arm(leftMs);
  }
}

/**
 * Limits how long a consumer waits for the next event. Only time spent waiting counts, so a consumer that is slow to
 * come back never trips it, and what arrives without being an event does not help.
 *
 * One Node timer serves a whole stream: when it fires early, it is armed again for the rest.
 */
export class WaitTimer {
  #limitMs: number;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #waitedMs = 0;
  #waitingSince: number | undefined;

  /** `limitMs` of 0 means no limit. */
  constructor(limitMs: number, expire: () => void) {
    this.#limitMs = limitMs;
    this.#expire = expire;
  }

  /** A wait begins. */
  start(): void {
    if (this.#limitMs === 0) return;
    this.#waitingSince = performance.now();
    if (this.#timer === undefined) this.#arm(this.#limitMs - this.#waitedMs);
  }

  /** A wait ended, with or without an event. */
  stop(): void {
    if (this.#waitingSince === undefined) return;
    this.#waitedMs += performance.now() - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  /** An event came: from now on the wait for the next one counts. */
  restart(limitMs: number): void {
    this.#waitedMs = 0;
    if (limitMs === this.#limitMs) return;
    this.#limitMs = limitMs;
    this.clear();
  }

  /** Frees the timer. */
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

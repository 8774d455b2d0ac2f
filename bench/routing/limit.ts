/** A rate limit of one key: a number of requests in each window of time. The window begins with its first request. */
export class RateLimit {
  readonly #requests: number;
  readonly #windowMs: number;
  #windowEnd = Number.NEGATIVE_INFINITY;
  #used = 0;

  constructor(requests: number, windowMs: number) {
    this.#requests = requests;
    this.#windowMs = windowMs;
  }

  /** Takes a request at the time `now` (ms). Returns the wait in ms until the next window, or 0 if it is allowed. */
  take(now: number): number {
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + this.#windowMs;
      this.#used = 0;
    }
    if (this.#used >= this.#requests) return this.#windowEnd - now;
    this.#used++;
    return 0;
  }
}

/** Waits in ms before a worker starts again. */
const firstMs = 100;
const longestMs = 30_000;

/** A worker that ran for this time in ms has recovered: the next wait is the first one again. */
const recoveredMs = 60_000;

/** Waits before one worker starts again. They double with each failure in a row. */
export class Backoff {
  #failures = 0;

  /** Returns the wait in ms. `ranMs`: how long the worker ran. */
  next(ranMs: number): number {
    if (ranMs >= recoveredMs) this.#failures = 0;
    return Math.min(longestMs, firstMs * 2 ** this.#failures++);
  }
}

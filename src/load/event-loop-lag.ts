import type { LoadBound } from "./load-guard.ts";

/** Number of last samples that decide. */
const samples = 5;

/**
 * Bound on the lag of the event loop: the delay of a timer. The lag is beyond the bound while most of the last samples
 * are late (their median). A single pause, such as a garbage collection or a stopped process, is one late sample, so it
 * rejects nothing. After an overload, three samples in time are enough.
 */
export class EventLoopLag implements LoadBound {
  readonly name = "event-loop lag";
  readonly problem = "its event loop lags";
  /** Maximum lag in milliseconds. 0: no bound. */
  maxMs: number;
  readonly #late: boolean[] = [];
  #isExceeded = false;

  constructor(maxMs: number) {
    this.maxMs = maxMs;
  }

  isExceeded(): boolean {
    return this.#isExceeded;
  }

  /** Adds a sample: the delay of a timer in milliseconds. */
  sample(lagMs: number): void {
    this.#late.push(this.maxMs > 0 && lagMs > this.maxMs);
    if (this.#late.length > samples) this.#late.shift();
    this.#isExceeded = this.#late.filter(Boolean).length > samples / 2;
  }
}

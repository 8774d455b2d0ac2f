import type { Clock } from "./clock.ts";

/** Retries per second that are always allowed. */
const always = 10;

const seconds = 10;

/**
 * Bound on the retries at one target, against storms: in 10 seconds they may be a share of its attempts, or 10 a second
 * if that is more.
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #attempts = new Uint32Array(seconds);
  readonly #retries = new Uint32Array(seconds);
  #second = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an attempt, retries included. */
  addAttempt(): void {
    const at = this.#now();
    this.#attempts[at] = (this.#attempts[at] ?? 0) + 1;
  }

  /** Whether a retry is allowed now. `share`: share of the attempts, from 0 to 1. */
  allows(share: number): boolean {
    const at = this.#now();
    return (this.#retries[at] ?? 0) < always || sum(this.#retries) < share * sum(this.#attempts);
  }

  addRetry(): void {
    const at = this.#now();
    this.#retries[at] = (this.#retries[at] ?? 0) + 1;
  }

  /** Returns the place of the current second, after it has cleared the places of the seconds that have passed. */
  #now(): number {
    const second = Math.floor(this.#clock.now() / 1_000);
    for (let next = Math.max(this.#second + 1, second - seconds + 1); next <= second; next++) {
      this.#attempts[next % seconds] = 0;
      this.#retries[next % seconds] = 0;
    }
    this.#second = Math.max(this.#second, second);
    return this.#second % seconds;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** Hedges that a route can save up. */
const mostHedges = 10;

/** Bound on the hedges of a route: a share of its calls. */
export class HedgeBudget {
  #saved = 0;

  addCall(share: number): void {
    this.#saved = Math.min(mostHedges, this.#saved + share);
  }

  /** Takes one hedge. Returns false if there is none. */
  take(): boolean {
    // Shares such as 0.1 are not exact: ten of them are slightly less than 1.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved -= 1;
    return true;
  }
}

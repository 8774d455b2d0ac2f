import type { Clock } from "./clock.ts";

/** Time constant in ms with which the average falls to faster samples. */
const decayMs = 10_000;

/** Number of samples for quantiles. */
const kept = 256;

/** Number of samples from which quantiles beyond the median are known. */
const fewest = 50;

/** Times to the first output of one target, in ms. */
export class Latency {
  readonly #clock: Clock;
  readonly #samples: number[] = [];
  #next = 0;
  #count = 0;
  #average = 0;
  #latestMs = 0;
  /** Sorted samples, and the count of samples up to which they are. */
  #sorted: readonly number[] = [];
  #sortedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Moving average: a slower sample counts at once, a faster one slowly. Undefined: there is no sample. */
  get average(): number | undefined {
    return this.#latestMs === 0 ? undefined : this.#average;
  }

  /** Milliseconds since the latest sample. */
  get ageMs(): number {
    return this.#clock.now() - this.#latestMs;
  }

  /** Median. Undefined: there is no sample. */
  get usual(): number | undefined {
    return this.#quantile(0.5);
  }

  /** 95th percentile. Undefined: there are fewer than 50 samples. */
  get p95(): number | undefined {
    return this.#count < fewest ? undefined : this.#quantile(0.95);
  }

  /** Adds the time to the first output of an attempt. */
  observe(ms: number): void {
    this.#average = this.#averageWith(ms);
    this.#latestMs = Math.max(this.#clock.now(), Number.MIN_VALUE);
    this.#samples[this.#next] = ms;
    this.#next = (this.#next + 1) % kept;
    this.#count++;
  }

  /** Adds the time that an attempt waited in vain. It counts for the average only, and only if it is longer. */
  observeWait(ms: number): void {
    if (ms < (this.average ?? 0)) return;
    this.#average = ms;
    this.#latestMs = Math.max(this.#clock.now(), Number.MIN_VALUE);
  }

  #averageWith(ms: number): number {
    if (this.#latestMs === 0 || ms >= this.#average) return ms;
    const old = Math.exp(-this.ageMs / decayMs);
    return this.#average * old + ms * (1 - old);
  }

  #quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    // Sorting for each of many samples would take longer than the rest of routing.
    const isFresh = this.#sortedAt > 0 && this.#count - this.#sortedAt < Math.min(32, this.#sortedAt / 8);
    if (!isFresh && this.#sortedAt !== this.#count) {
      this.#sorted = this.#samples.toSorted((a, b) => a - b);
      this.#sortedAt = this.#count;
    }
    return this.#sorted[Math.min(this.#sorted.length - 1, Math.floor(share * this.#sorted.length))];
  }
}

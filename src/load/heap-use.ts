import { getHeapStatistics } from "node:v8";
import { garbageCollector } from "./garbage-collector.ts";
import type { LoadBound } from "./load-guard.ts";

/** Time between two collections that this bound requests, as a multiple of the last one's duration: 5 % of the time. */
const restFactor = 20;

/**
 * Size in bytes of the young generation, three semi-spaces of 32 MiB. V8 adds it to `heap_size_limit`, but ends the
 * process when the old generation alone is full.
 */
const youngBytes = 96 * 2 ** 20;

/**
 * Bound on the heap: V8 ends the process when the heap reaches its limit (`--max-old-space-size`, or about half of the
 * memory, at most 4 GiB).
 *
 * Garbage also counts as used until V8 collects it, and without new calls V8 may not do so. Beyond the bound, a sample
 * therefore collects garbage first.
 */
export class HeapUse implements LoadBound {
  readonly name = "heap";
  readonly problem = "its memory is nearly full";
  /** Maximum share of the heap limit, from 0 to 1. 0: no bound. */
  maxShare: number;
  readonly #collect = garbageCollector();
  #nextCollection = 0;
  #isExceeded = false;

  constructor(maxShare: number) {
    this.maxShare = maxShare;
  }

  isExceeded(): boolean {
    return this.#isExceeded;
  }

  /** Compares the heap with the bound. `nowMs`: time in milliseconds. */
  sample(nowMs: number): void {
    this.#isExceeded = this.maxShare > 0 && usedShare() > this.maxShare;
    if (!this.#isExceeded || nowMs < this.#nextCollection) return;
    const begin = performance.now();
    this.#collect();
    this.#nextCollection = nowMs + restFactor * (performance.now() - begin);
    this.#isExceeded = usedShare() > this.maxShare;
  }
}

function usedShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / (limit - youngBytes);
}

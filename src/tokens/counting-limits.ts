import type { Claimant } from "../fair-slots.ts";

/** Bounds of token counting. Beyond each of them, a count is an estimate. */
export interface CountingLimits {
  /**
   * Maximum bytes of texts that wait, at two bytes for each UTF-16 code unit: of all short jobs, whose texts the
   * counting thread holds, and of the long jobs of each account, whose texts belong to requests that are in memory
   * anyway.
   */
  readonly maxQueueBytes: number;
  /** Maximum time in ms that the thread works on one count, not including loading the vocabulary. */
  readonly maxWorkMs: number;
  /** Maximum time in ms that one count waits and works, not including loading the vocabulary. */
  readonly maxTimeMs: number;
}

/** Call that needs a count. `signal` aborts the count. */
export interface CountContext extends Claimant {
  readonly limits: CountingLimits;
}

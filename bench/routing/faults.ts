/** What a scripted upstream does with an attempt. The n-th attempt at a target meets the same fault in every system. */

/**
 * - `500`, `503`, `429`: this status and an error object, at once
 * - `reset`: a reset of the connection, at once
 * - `silent`: no response
 * - `silent_after_headers`: status 200 and nothing else
 * - `error_in_200`: status 200 with an error object, before any output. In the middle of a stream: an error event
 * - `malformed`: JSON that cannot be parsed. A stream goes on after it, so that skipping it leaves a hole in the text
 * - `cut`: a reset of the connection in the middle of the response
 * - `clean_end`: an orderly end in the middle, without finish reason and `[DONE]`
 * - `silent_in_the_middle`: the response stops in the middle, and the connection stays open
 */
export const faultNames = [
  "500",
  "503",
  "429",
  "reset",
  "silent",
  "silent_after_headers",
  "error_in_200",
  "malformed",
  "cut",
  "clean_end",
  "silent_in_the_middle",
] as const;

export type FaultName = (typeof faultNames)[number];

/** A response with its pace, and the fault in it. */
export interface Step {
  /** Time to the first delta in ms. */
  readonly firstMs: number;
  /** Time between two deltas in ms. A whole response arrives when a stream would end. */
  readonly gapMs: number;
  readonly deltas: number;
  readonly fault?: FaultName;
  /** Deltas of a stream before the fault. Default 0. */
  readonly faultAfter?: number;
}

/** What a target does. */
export type Behavior =
  | { readonly kind: "answers"; readonly step: Step /** From the middle call on. */; readonly laterFirstMs?: number }
  /** Every attempt fails, with the faults in turn. */
  | { readonly kind: "fails"; readonly faults: readonly FaultName[]; readonly faultAfter: number }
  /** Of each 30 attempts, nine fail, each in its own way. */
  | { readonly kind: "mixed" }
  /** The key K1 has this many requests in each window; beyond them it gets 429. Other keys have no limit. */
  | { readonly kind: "limited"; readonly requests: number; readonly windowMs: number };

/** 30 ms to the first delta, 70 ms in all. */
export const fast: Step = { firstMs: 30, gapMs: 5, deltas: 8 };
export const slow: Step = { ...fast, firstMs: 400 };

const mixedBlock = 30;
const mixedFaults: readonly FaultName[] = [
  ...(["500", "503", "429", "reset", "silent", "silent_after_headers", "error_in_200", "malformed", "cut"] as const),
];

/** Returns numbers from 0 to 1 that depend only on the seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns the faults of a block of attempts, in an order that depends only on the block's number. */
function faultsOfBlock(block: number): readonly (FaultName | undefined)[] {
  const faults = Array.from({ length: mixedBlock }, (_, index) => mixedFaults[index]);
  const random = randomOf(block + 1);
  for (let last = mixedBlock - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [faults[last], faults[other]] = [faults[other], faults[last]];
  }
  return faults;
}

/** Deltas before the faults that need some. Without, they would not be in the middle of the response. */
const faultsAfter: Partial<Record<FaultName, number>> = { malformed: 1, cut: 3 };

function withFault(fault: FaultName | undefined, faultAfter: number): Step {
  return fault === undefined ? fast : { ...fast, fault, faultAfter };
}

export interface AttemptNumber {
  /** Number of the attempt at the target, from 0. */
  readonly attempt: number;
  readonly call: number;
  readonly calls: number;
}

/** Returns what the target does with an attempt. For the same numbers it is always the same. */
export function stepOf(behavior: Behavior, { attempt, call, calls }: AttemptNumber): Step {
  switch (behavior.kind) {
    case "answers": {
      const later = behavior.laterFirstMs !== undefined && call >= calls / 2;
      return later ? { ...behavior.step, firstMs: behavior.laterFirstMs } : behavior.step;
    }
    case "fails":
      return withFault(behavior.faults[attempt % behavior.faults.length], behavior.faultAfter);
    case "mixed": {
      const fault = faultsOfBlock(Math.floor(attempt / mixedBlock))[attempt % mixedBlock];
      return withFault(fault, fault === undefined ? 0 : (faultsAfter[fault] ?? 0));
    }
    case "limited":
      return fast;
    default:
      throw new Error(`unknown behavior ${JSON.stringify(behavior satisfies never)}`);
  }
}

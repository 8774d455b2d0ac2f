import type { Claim } from "../../accounts/limits/limit-store.ts";

/** A limit that a worker uses, and what it needs of it. */
export interface Wanted {
  readonly name: string;
  readonly kind: Claim["kind"];
  /** The whole limit. */
  readonly limit: number;
  /** Nanodollars that a budget had spent before the workers counted it. */
  readonly past: number;
  /** End of a budget's period. */
  readonly endMs: number | undefined;
  /** What a call that waits takes, beyond what the worker has. 0: no call waits. */
  readonly need: number;
}

/** What a worker gives back of its share of a limit. */
export interface Given {
  readonly name: string;
  /** What no call has taken. The worker no longer has it. */
  readonly free: number;
  /** What calls took beyond the share. */
  readonly debt: number;
  /** What calls have taken since the worker gave the last time. */
  readonly taken: number;
}

/** What a worker gets of a limit. */
export interface Dealt {
  readonly name: string;
  readonly amount: number;
  /** What the other workers have, and what nobody has. */
  readonly others: number;
  /** Whether a call that waits needs more than there is. */
  readonly isShort: boolean;
}

/** What a worker sends to the pool of limits. */
export type LimitReport =
  | { readonly kind: "want"; readonly limits: readonly Wanted[] }
  /** Round 0: the worker no longer needs them. */
  | { readonly kind: "given"; readonly round: number; readonly limits: readonly Given[] };

/** What the pool of limits sends to a worker. */
export type LimitOrder =
  | { readonly kind: "give"; readonly round: number; readonly names: readonly string[] }
  | { readonly kind: "dealt"; readonly limits: readonly Dealt[] };

/** Time in ms between two rounds that deal a limit again, if no call waits for it. */
export const rebalanceMs = 250;

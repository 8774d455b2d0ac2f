import type { StoreLossPolicy } from "../../config/account.ts";

/** A limit or a budget that a call must fit, and what the call takes of it at first. */
export interface Claim {
  /** Who shares the limit: `account:<id>` or `key:<id>`. */
  readonly holder: string;
  readonly kind: "requests" | "tokens" | "calls" | "budget";
  /**
   * `requests` and `tokens`: per minute, which is also the capacity. `calls`: calls in progress. `budget`: nanodollars of
   * the period. A whole number below 2^53.
   */
  readonly limit: number;
  /** Of a budget: its place among those of the account with its period, such as `0:2026-11`, and when the period ends. */
  readonly period?: { readonly name: string; readonly endMs: number };
  /** Of a budget: what had been spent before this process counted it. Absent: nothing. */
  readonly past?: BudgetPast;
  /** What the call takes until it settles: 1 for `requests` and `calls`, tokens, or nanodollars. A whole number. */
  readonly hold: number;
  /**
   * Whether a budget holds only what is left of it if that is less than `hold`, because `hold` is no upper bound of what
   * the call costs. Default: the call is refused then.
   */
  readonly flexible?: boolean;
  /** Whether the limit never refuses a call, and only says that it would have. */
  readonly shadow: boolean;
}

/** How to find in the ledger what a budget had spent. */
export interface BudgetPast {
  /** Place of the budget among those of the account, and its kind of period, such as `0:month`. */
  readonly series: string;
  /** Beginning of the period in ms since 1970. */
  readonly startMs: number;
  /** When the call began, in ms since 1970. */
  readonly beganMs: number;
}

/** What is left of a limit after a decision. */
export interface Left {
  /** In the unit of the claim. Negative if calls used more than they held. */
  readonly remaining: number;
  /** Milliseconds until the whole limit is available again, if no further call comes. 0: it is, or the limit is `calls`. */
  readonly resetMs: number;
  /** What calls in progress hold of a budget or of `calls`. 0 for rates. */
  readonly held: number;
}

/** Whether a call fits all of its limits. If it does not, it takes nothing of any of them. */
export interface Decision {
  /** Index of the first claim that refuses the call. Undefined: the call is let in. */
  readonly refusedBy: number | undefined;
  /**
   * Milliseconds after which the refused call would fit this claim. Undefined: not known, or never. A budget lets it in
   * when the period ends, or earlier if calls in progress cost less than they hold.
   */
  readonly waitMs: number | undefined;
  /** By claim. */
  readonly left: readonly Left[];
  /** Indexes of the shadow claims that would have refused the call. */
  readonly shadowed: readonly number[];
  /** Whether the store that replicas share made the decision. False: it did not respond, and this process decided. */
  readonly shared: boolean;
}

/** Counts what calls take of limits, in this process or for all replicas. */
export interface LimitStore {
  /**
   * Decides at once in memory, or within 50 ms with a store that replicas share. Never rejects.
   *
   * @param onLoss decision if the shared store does not respond. Default `local`
   */
  reserve(callId: string, claims: readonly Claim[], onLoss?: StoreLossPolicy): Decision | Promise<Decision>;
  /**
   * Replaces what a call holds by what it used, in the unit of each claim of its `reserve`. Has no effect for a call that
   * has settled or was refused. Returns at once.
   */
  settle(callId: string, used: readonly number[]): void;
  /** Returns what is left of limits, without taking anything. */
  left(claims: readonly Claim[]): readonly Left[] | Promise<readonly Left[]>;
  close(): Promise<void>;
}

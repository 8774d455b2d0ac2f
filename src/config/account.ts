/**
 * What a caller may do. `caller`: call models. `viewer`: also call the admin methods that show the state of the service.
 * `admin`: also call those that change it.
 */
export type Role = "caller" | "viewer" | "admin";

/** Limits of an account or of a key (limits.proto has their meaning). Undefined: the limit does not exist. */
export interface Limits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrentCalls?: number | undefined;
  /** Whether the limits only count the calls that they would reject. */
  readonly shadow: boolean;
}

/** Periods of budgets, the shortest first. */
export const budgetPeriods = ["day", "week", "month", "quarter"] as const;
export type BudgetPeriod = (typeof budgetPeriods)[number];

/** Money that an account or a key may spend in each period (limits.proto). */
export interface Budget {
  /** Nanodollars: a whole number, at most `largestBudgetNanos`. */
  readonly amountNanos: number;
  readonly period: BudgetPeriod;
  /** IANA time zone in which the period begins at midnight. */
  readonly timeZone: string;
  /** Share of the amount, 0 to 1, from which responses have the warning BUDGET_NEAR. */
  readonly warnAt: number;
  /** Whether the budget only counts the calls that it would reject. */
  readonly shadow: boolean;
  /** What happens to calls whose price is unknown. */
  readonly unpriced: "refuse" | "allow";
}

/** Largest amount of a budget: nine million US dollars, so that sums of nanodollars stay exact below 2^53. */
export const largestBudgetNanos = 9_000_000 * 1e9;

/** Largest limits, as limits.proto has them. */
export const largestLimits = { requestsPerMinute: 1e9, tokensPerMinute: 1e12, concurrentCalls: 1e9 } as const;

/** What keys and accounts have in common. */
interface Shared {
  /** Patterns of the models that calls may request; `*` matches any characters. Default: all models. */
  readonly models?: readonly string[] | undefined;
  /** Time in ms since 1970 from which calls are rejected. Default: never. */
  readonly expiresMs?: number | undefined;
  /** Default: none. */
  readonly limits?: Limits | undefined;
  /** Default: none. */
  readonly budgets?: readonly Budget[] | undefined;
}

/** An API key, without its secret. */
export interface KeySettings extends Shared {
  /** Name of the key in call records; not secret. */
  readonly id: string;
  /** Accounts that calls with this key may use. Empty: any account. */
  readonly accounts: readonly string[];
  /** Account of calls that set none. Default: the entry of `accounts` if it has exactly one, else none. */
  readonly defaultAccount: string | undefined;
  /** Default `caller`. */
  readonly role: Role;
}

/** What happens to the calls of an account if the state that replicas share does not respond (account.proto). */
export const storeLossPolicies = ["local", "allow", "deny"] as const;
export type StoreLossPolicy = (typeof storeLossPolicies)[number];

/** An account that calls are recorded under. */
export interface AccountSettings extends Shared {
  readonly id: string;
  /** Name for people. Empty: none. */
  readonly displayName: string;
  readonly onStoreLoss: StoreLossPolicy;
}

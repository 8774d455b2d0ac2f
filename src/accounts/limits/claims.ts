import type { AccountSettings, Budget, KeySettings, Limits } from "../../config/account.ts";
import { holderOf } from "../holder.ts";
import type { BudgetPast, Claim } from "./limit-store.ts";
import type { CallNeed } from "./need.ts";
import { type Period, periodAt } from "./period.ts";

/** Who shares limits and budgets: an API key or an account. */
export interface LimitedHolder {
  /** `key:<id>` or `account:<id>`. */
  readonly holder: string;
  /** Name for people, such as `the account billing`. */
  readonly name: string;
  readonly limits?: Limits | undefined;
  readonly budgets?: readonly Budget[] | undefined;
}

/** Accounts as holders, by their settings, which change only as a whole. */
const limitedAccounts = new WeakMap<object, LimitedHolder>();

/** Returns an account as a holder of limits and budgets: the same object for the same settings. */
export function limitedAccount(settings: Pick<AccountSettings, "id" | "limits" | "budgets">): LimitedHolder {
  let known = limitedAccounts.get(settings);
  if (known === undefined) {
    const { id, limits, budgets } = settings;
    known = { holder: holderOf({ accountId: id, keyId: "" }), name: `the account ${id}`, limits, budgets };
    limitedAccounts.set(settings, known);
  }
  return known;
}

/** Returns an API key as a holder of limits and budgets. */
export function limitedKey({ id, limits, budgets }: Pick<KeySettings, "id" | "limits" | "budgets">): LimitedHolder {
  return { holder: holderOf({ accountId: "", keyId: id }), name: `the API key ${id}`, limits, budgets };
}

/** Whether a holder has any limit or budget. */
export function isLimited({ limits, budgets = [] }: Pick<LimitedHolder, "limits" | "budgets">): boolean {
  if (budgets.length > 0) return true;
  if (limits === undefined) return false;
  const { requestsPerMinute, tokensPerMinute, concurrentCalls } = limits;
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrentCalls !== undefined;
}

/** A claim, with what its limit means to people. */
export interface NamedClaim extends Claim {
  readonly owner: LimitedHolder;
  /** Undefined: the claim is no budget. */
  readonly budget?: Budget;
  /** Of a budget: nanodollars that the call will probably cost at most. */
  readonly likely?: number;
}

/** A budget that rejects a call, because the price of the call is unknown. */
export interface UnpricedBudget {
  readonly owner: LimitedHolder;
  readonly budget: Budget;
  /** Id of the model. */
  readonly model: string;
}

/** Everything that a call claims: first the requests of each holder, then tokens, calls in progress and budgets. */
export interface CallClaims {
  readonly claims: readonly NamedClaim[];
  readonly unpriced: readonly UnpricedBudget[];
}

/** Whether the claims of a holder depend on what a call needs. */
export function needsEstimate({ limits, budgets = [] }: LimitedHolder): boolean {
  return limits?.tokensPerMinute !== undefined || budgets.length > 0;
}

/**
 * Returns the claims of a call.
 *
 * @param need called at most once, if it matters. `hasBudget`: the cost matters, too
 * @param beganMs when the call began: it counts in the period that contains this time
 */
export function claimsOf(
  holders: readonly LimitedHolder[],
  need: (hasBudget: boolean) => CallNeed,
  beganMs: number,
): CallClaims {
  const hasBudget = holders.some(({ budgets = [] }) => budgets.length > 0);
  const estimate = holders.some(needsEstimate) ? need(hasBudget) : undefined;
  const [requests, tokens, calls, budgets]: [NamedClaim[], NamedClaim[], NamedClaim[], NamedClaim[]] = [[], [], [], []];
  const unpriced: UnpricedBudget[] = [];
  for (const owner of holders) {
    const { holder, limits } = owner;
    if (limits !== undefined) {
      const { requestsPerMinute, tokensPerMinute, concurrentCalls, shadow } = limits;
      const common = { owner, holder, shadow };
      if (requestsPerMinute !== undefined) {
        requests.push({ ...common, kind: "requests", limit: requestsPerMinute, hold: 1 });
      }
      if (tokensPerMinute !== undefined) {
        // An estimate alone never rejects the first call of an idle account.
        const hold = Math.min(estimate?.tokens ?? 0, tokensPerMinute);
        tokens.push({ ...common, kind: "tokens", limit: tokensPerMinute, hold });
      }
      if (concurrentCalls !== undefined) calls.push({ ...common, kind: "calls", limit: concurrentCalls, hold: 1 });
    }
    for (const [place, budget] of placesOf(owner.budgets)) {
      if (estimate?.nanos !== undefined) budgets.push(budgetClaim(owner, budget, place, estimate, beganMs));
      else if (budget.unpriced === "refuse") unpriced.push({ owner, budget, model: estimate?.unpriced ?? "" });
    }
  }
  return { claims: [...requests, ...tokens, ...calls, ...budgets], unpriced };
}

const noBudgets: readonly Budget[] = [];

type PlacedBudgets = readonly (readonly [place: string, budget: Budget])[];

/** Budgets with their places, for each list of budgets of the settings. */
const knownPlaces = new WeakMap<readonly Budget[], PlacedBudgets>();

/**
 * Returns budgets with their places, which name what each has spent: the time zone, and which of the budgets with the
 * same period and time zone it is. So a budget keeps what it has spent if others are added, removed or moved.
 */
export function placesOf(budgets: readonly Budget[] = noBudgets): PlacedBudgets {
  let known = knownPlaces.get(budgets);
  if (known === undefined) {
    known = findPlaces(budgets);
    knownPlaces.set(budgets, known);
  }
  return known;
}

function findPlaces(budgets: readonly Budget[]): PlacedBudgets {
  const counts = new Map<string, number>();
  return budgets.map((budget) => {
    const { period, timeZone } = budget;
    const kind = `${period} ${timeZone}`;
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return [timeZone === "UTC" ? String(count) : `${count}@${timeZone}`, budget];
  });
}

function budgetClaim(
  owner: LimitedHolder,
  budget: Budget,
  place: string,
  { nanos = 0, likelyNanos, isBound }: CallNeed,
  beganMs: number,
): NamedClaim {
  const { name, endMs } = periodOf(budget, beganMs);
  return {
    owner,
    budget,
    holder: owner.holder,
    kind: "budget",
    limit: budget.amountNanos,
    period: { name: `${place}:${name}`, endMs },
    past: budgetPast(budget, place, beganMs),
    // A shadow budget rejects nothing: a bound that is far from the cost would only note too many calls.
    hold: budget.shadow ? likelyNanos : nanos,
    likely: likelyNanos,
    flexible: !isBound,
    shadow: budget.shadow,
  };
}

/** Returns where the ledger has what a budget had spent, for a call that began at a time. */
export function budgetPast(budget: Budget, place: string, beganMs: number): BudgetPast {
  return { series: `${place}:${budget.period}`, startMs: periodOf(budget, beganMs).startMs, beganMs };
}

/** Returns the period of a budget at a time. */
export function periodOf({ period, timeZone }: Budget, nowMs: number): Period {
  return periodAt(period, timeZone, nowMs);
}

import { GatewayError, type Quota, type Reason } from "../../errors.ts";
import type { NamedClaim, UnpricedBudget } from "./claims.ts";
import type { Decision } from "./limit-store.ts";

const dayMs = 24 * 60 * 60 * 1000;

type Kind = NamedClaim["kind"];

const reasons = {
  requests: "REQUESTS_LIMITED",
  tokens: "TOKENS_LIMITED",
  calls: "CONCURRENCY_LIMITED",
  budget: "BUDGET_EXHAUSTED",
} as const satisfies Record<Kind, Reason>;

/** Names of the limits in the configuration, which QuotaFailure has. */
const metrics = {
  requests: "requests_per_minute",
  tokens: "tokens_per_minute",
  calls: "concurrent_calls",
  budget: "budget_nanos",
} as const satisfies Record<Kind, string>;

/** Returns the error of a call that a claim refuses. */
export function refusal(claim: NamedClaim, { waitMs, left }: Decision, index: number): GatewayError {
  const { kind, limit, holder } = claim;
  const remaining = left[index]?.remaining ?? 0;
  const description = describe(claim);
  // A budget that lasts longer than a day is not worth waiting for.
  const retryAfterMs = kind === "budget" && (waitMs ?? 0) > dayMs ? undefined : waitMs;
  return new GatewayError(reasons[kind], `${description}; ${advice(claim, remaining, waitMs)}`, {
    metadata: { holder, limit: String(limit), remaining: String(remaining) },
    quota: quotaOf(claim, description),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Returns the error of a call without a known price, which a budget does not allow. */
export function unpricedRefusal({ owner, budget, model }: UnpricedBudget): GatewayError {
  const what = `the price of ${model} is unknown, and ${owner.name} has a budget`;
  const fix = "configure `prices` for the model, or set `unpriced: allow` for the budget";
  return new GatewayError("BUDGET_EXHAUSTED", `${what}; ${fix}`, {
    metadata: { holder: owner.holder, model },
    quota: {
      ...{ subject: owner.holder, description: what, apiService: "dragoman", quotaMetric: metrics.budget },
      ...{ quotaId: budget.period, quotaDimensions: { model }, quotaValue: BigInt(budget.amountNanos) },
    },
  });
}

function quotaOf({ kind, holder, limit, period, budget }: NamedClaim, description: string): Quota {
  return {
    subject: holder,
    description,
    apiService: "dragoman",
    quotaMetric: metrics[kind],
    quotaId: budget?.period ?? metrics[kind],
    quotaDimensions:
      period === undefined ? {} : { period: period.name.replace(/^[^:]*:/, ""), time_zone: budget?.timeZone ?? "UTC" },
    quotaValue: BigInt(limit),
  };
}

function describe({ kind, limit, owner, budget }: NamedClaim): string {
  switch (kind) {
    case "requests":
      return `${owner.name} may send ${limit} request${plural(limit)} per minute`;
    case "tokens":
      return `${owner.name} may use ${limit} token${plural(limit)} per minute`;
    case "calls":
      return `${owner.name} may have ${limit} call${plural(limit)} in progress`;
    case "budget":
      return `${owner.name} may spend ${formatDollars(limit)} per ${budget?.period ?? "period"}`;
    default:
      return kind satisfies never;
  }
}

const plural = (count: number) => (count === 1 ? "" : "s");

function advice(claim: NamedClaim, remaining: number, waitMs: number | undefined): string {
  const { kind, limit, hold, period } = claim;
  if (limit === 0) return "ask the operator for a higher limit";
  if (kind === "calls") return "retry when one of them ends";
  if (kind !== "budget") return `retry after ${formatSeconds(waitMs ?? 0)}`;
  const needs = `the call may cost ${formatDollars(hold)}, and ${formatDollars(Math.max(0, remaining))} are left`;
  if (waitMs === undefined) return `${needs}; request less output`;
  const until = new Date(period?.endMs ?? 0).toISOString();
  return `${needs}; request less output, or wait until ${until}`;
}

/** Formats nanodollars, such as `$0.25`, with as many digits as the amount needs, at least two. */
export function formatDollars(nanos: number): string {
  const [whole = "0", decimals = ""] = (nanos / 1e9).toFixed(9).split(".");
  return `$${whole}.${decimals.replace(/0{1,7}$/, "")}`;
}

function formatSeconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 100)) / 10} s`;
}

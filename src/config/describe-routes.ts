import { ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import { formatDuration } from "./quantities.ts";
import type { BreakerSettings, RouteSettings } from "./route.ts";

/** Describes the section `routes`, each route with all its settings. */
export function describeRoutes(routes: readonly RouteSettings[]) {
  return Object.fromEntries(routes.map((route) => [route.id, describeRoute(route)]));
}

function describeRoute(route: RouteSettings) {
  const { tiers, affinity, maxAttempts, maxPerTarget, backoff, timeouts, hedge, require, profile } = route;
  return {
    tiers: tiers.map(({ balance, targets }) => ({ balance, targets: targets.map((target) => ({ ...target })) })),
    affinity: affinity ? "auto" : "off",
    attempts: { max: maxAttempts, per_target: maxPerTarget },
    retry: {
      backoff: { initial: formatDuration(backoff.initialMs), max: formatDuration(backoff.maxMs) },
      retry_after_up_to: formatDuration(route.retryAfterUpToMs),
      budget: route.retryBudget,
    },
    timeouts: {
      first_output: formatDuration(timeouts.firstOutputMs),
      idle: formatDuration(timeouts.idleMs),
      attempt: formatDuration(timeouts.attemptMs),
    },
    hedge: hedge && {
      after: typeof hedge.after === "number" ? formatDuration(hedge.after) : hedge.after,
      budget: hedge.budget,
    },
    require: require.map((name) => ModelCapabilitiesSchema.field[name].name),
    profile,
  };
}

/** Describes the section `breaker`. */
export function describeBreaker(breaker: BreakerSettings) {
  return {
    window: formatDuration(breaker.windowMs),
    min_calls: breaker.minCalls,
    failure_ratio: breaker.failureRatio,
    consecutive: breaker.consecutive,
    open: formatDuration(breaker.openMs),
    open_max: formatDuration(breaker.openMaxMs),
    ramp: formatDuration(breaker.rampMs),
    max_open_share: breaker.maxOpenShare,
  };
}

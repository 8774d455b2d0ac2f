import type { ReportProblem } from "./config-error.ts";
import { isModelName, nameFix } from "./models.ts";
import { formatDuration } from "./quantities.ts";
import { type BreakerSettings, defaultBreaker, type RouteSettings } from "./route.ts";
import type { BreakerSection, RouteSection } from "./route-schema.ts";
import { checkRequire, checkTiers, indexTargets, type TargetSources } from "./route-targets.ts";

/** Returns whether a mistake is known at or below a path. The value there is then a default and not the file's. */
type IsWrong = (path: string) => boolean;

/** Resolves the section `routes`. Reports targets that do not exist, and values that contradict each other. */
export function resolveRoutes(
  sections: Readonly<Record<string, RouteSection>>,
  sources: TargetSources,
  report: ReportProblem,
  isWrong: IsWrong,
): RouteSettings[] {
  const index = indexTargets(sources, Object.keys(sections));
  return Object.entries(sections).map(([id, section]) => {
    const path = `routes.${id}`;
    if (!isModelName(id)) report(path, "is not a valid route id", nameFix);
    if (!isWrong(`${path}.tiers`)) checkTiers(id, `${path}.tiers`, section.tiers, index, report);
    if (!isWrong(`${path}.tiers`) && !isWrong(`${path}.require`)) {
      checkRequire(`${path}.require`, section, index, report);
    }
    const route = toRoute(id, section);
    checkRules(path, route, report, isWrong);
    return route;
  });
}

/** A default that a smaller maximum bounds follows it, so that the file needs only the maximum. */
function toRoute(id: string, section: RouteSection): RouteSettings {
  const { tiers = [], affinity, attempts, retry, timeouts, hedge, require, profile } = section;
  const { initial = Math.min(100, retry.backoff.max), max: maxMs } = retry.backoff;
  return {
    id,
    tiers: tiers.map(({ targets = [], balance }) => ({ targets, balance })),
    affinity,
    maxAttempts: attempts.max,
    maxPerTarget: attempts.per_target ?? Math.min(2, attempts.max),
    backoff: { initialMs: initial, maxMs },
    retryAfterUpToMs: retry.retry_after_up_to,
    retryBudget: retry.budget,
    timeouts: { firstOutputMs: timeouts.first_output, idleMs: timeouts.idle, attemptMs: timeouts.attempt },
    hedge,
    require,
    profile,
  };
}

function checkRules(path: string, route: RouteSettings, report: ReportProblem, isWrong: IsWrong): void {
  const { maxAttempts, maxPerTarget, backoff, timeouts } = route;
  if (!isWrong(`${path}.attempts`) && maxPerTarget > maxAttempts) {
    const fix = `write at most ${maxAttempts}, or raise attempts.max`;
    report(`${path}.attempts.per_target`, `is above attempts.max, which is ${maxAttempts}`, fix);
  }
  if (!isWrong(`${path}.retry.backoff`) && backoff.initialMs > backoff.maxMs) {
    const most = formatDuration(backoff.maxMs);
    report(`${path}.retry.backoff.initial`, `is above max, which is ${most}`, `write at most ${most}, or raise max`);
  }
  const { firstOutputMs, attemptMs } = timeouts;
  if (!isWrong(`${path}.timeouts`) && attemptMs > 0 && firstOutputMs > attemptMs) {
    const problem = "is above timeouts.attempt, so it would never apply";
    report(`${path}.timeouts.first_output`, problem, `write at most ${formatDuration(attemptMs)}, or remove it`);
  }
}

/** Resolves the section `breaker`. Reports a first time above the longest one. */
export function resolveBreaker(section: BreakerSection, report: ReportProblem, isWrong: IsWrong): BreakerSettings {
  const { open_max: openMaxMs, open: openMs = Math.min(defaultBreaker.openMs, openMaxMs) } = section;
  if (!isWrong("breaker") && openMs > openMaxMs) {
    const most = formatDuration(openMaxMs);
    report("breaker.open", `is above open_max, which is ${most}`, `write at most ${most}, or raise open_max`);
  }
  return {
    windowMs: section.window,
    minCalls: section.min_calls,
    failureRatio: section.failure_ratio,
    consecutive: section.consecutive,
    openMs,
    openMaxMs,
    rampMs: section.ramp,
    maxOpenShare: section.max_open_share,
  };
}

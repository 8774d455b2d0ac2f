import type { Balance } from "../config/route.ts";
import { drawWeighted } from "./draws.ts";
import type { TargetState } from "./target-state.ts";

/** One of several targets. */
export interface Choosable {
  readonly state: TargetState;
  readonly weight: number;
  /** Expected cost of the call. Undefined: unknown. */
  readonly cost: number | undefined;
}

/** Time constant in ms with which a target without calls is taken for as fast as the fastest. */
const forgetMs = 10_000;

/**
 * Chooses one of the targets of a tier.
 *
 * @param all at least one
 * @param draw returns a random number from 0 to below 1
 */
export function choose<Target extends Choosable>(all: readonly Target[], balance: Balance, draw: () => number): Target {
  // A weight of 0 takes a target out of the tier, unless no other is left.
  const weighty = all.every(({ weight }) => weight > 0) ? all : all.filter(({ weight }) => weight > 0);
  const targets = weighty.length === 0 ? all : weighty;
  const [first] = targets;
  if (first === undefined) throw new Error("there is no target to choose");
  if (targets.length === 1) return first;
  switch (balance) {
    case "order":
      return first;
    case "cost":
      return targets.reduce((best, next) => (costOf(next) < costOf(best) ? next : best));
    case "weighted":
      // A target that just works again has a part of its weight.
      return drawWeighted(targets, ({ weight, state }) => weight * state.breaker.ramp, draw);
    case "latency": {
      // Two targets are compared whatever their weights are, so the ramp decides whether a target takes part at all.
      const drawn = targets.filter(({ state }) => state.breaker.ramp === 1 || draw() < state.breaker.ramp);
      const ready = drawn.length === 0 ? targets : drawn;
      const one = drawWeighted(ready, ({ weight }) => weight, draw);
      const others = ready.filter((target) => target !== one);
      if (others.length === 0) return one;
      const other = drawWeighted(others, ({ weight }) => weight, draw);
      const [loadOfOne, loadOfOther] = loads(targets, [one, other]);
      return (loadOfOther ?? 0) < (loadOfOne ?? 0) ? other : one;
    }
    default:
      return balance satisfies never;
  }
}

function costOf({ cost }: Choosable): number {
  return cost ?? Number.POSITIVE_INFINITY;
}

/**
 * Returns the expected time to the first output of some targets: the average of a target, times the attempts that it
 * would then have. A target without samples counts as the median of the others. The average of a target without calls
 * approaches that of the fastest, so that one call tries it again: while it runs, the average counts in full.
 */
function loads(all: readonly Choosable[], asked: readonly Choosable[]): readonly number[] {
  const known = all.flatMap(({ state }) => state.streamed.average ?? []).sort((a, b) => a - b);
  const fastest = known[0] ?? 1;
  const median = known[Math.floor((known.length - 1) / 2)] ?? 1;
  return asked.map(({ state }) => {
    const { average, ageMs } = state.streamed;
    const { inFlight } = state;
    const now =
      average === undefined || inFlight > 0 ? average : fastest + (average - fastest) * Math.exp(-ageMs / forgetMs);
    return (now ?? median) * (inFlight + 1);
  });
}

import { isLost, isShareCut, Model } from "./model.ts";
import { membersOf, type Trace, type TracedAttempt } from "./trace.ts";

/** Counts of what happened, to see that the scripts reach it. */
export function countsOf(trace: Trace): Record<string, number> {
  const model = new Model(trace);
  const count = (is: (attempt: TracedAttempt) => boolean) => trace.attempts.filter(is).length;
  return {
    calls: trace.calls.length,
    answers: trace.calls.filter(({ ends }) => ends[0] !== undefined && ends[0].error === undefined).length,
    attempts: trace.attempts.length,
    retries: count((one) => model.isRetry(one)),
    keyWalks: count((one) => model.isWalk(one)),
    hedges: count((one) => model.isHedge(one)),
    losers: count(isLost),
    shareCuts: count(isShareCut),
    fallbacks: trace.calls.filter(({ attempts, route, handed }) => {
      const tier = membersOf(route).find(({ target }) => target === attempts.at(-1)?.target)?.tier ?? 0;
      return handed.length > 0 && tier > 0;
    }).length,
    opens: trace.changes.filter(({ to }) => to === "open").length,
    plans: trace.calls.filter(({ considered }) => considered?.rejection === "").length,
  };
}

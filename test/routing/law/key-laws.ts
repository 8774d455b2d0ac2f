import { isKeyFailure, type Model, reasonOf, requestedDelay } from "./model.ts";
import { keyless, keysOf, type TracedAttempt } from "./trace.ts";

const dayMs = 86_400_000;

/** Laws of keys, over all calls. */
export function keyLaws(model: Model): void {
  limitLaw(model);
  for (const attempt of model.trace.attempts) walkLaw(attempt, model);
}

/** A key that a provider limits is not used at the target before its time. */
function limitLaw(model: Model): void {
  const { attempts } = model.trace;
  for (const limited of attempts) {
    const { failure } = limited;
    if (failure === undefined || reasonOf(limited) !== "PROVIDER_RATE_LIMITED") continue;
    // A provider without keys limits calls, and not a key.
    if (limited.key === keyless(limited.target)) continue;
    const requested = requestedDelay(limited);
    // A provider that names no time has none that it could hold against us, but a second is the least.
    const untilMs = failure.ms + Math.min(requested || 1_000, dayMs);
    for (const { target, key, start, call } of attempts) {
      if (target !== limited.target || key !== limited.key || start.turn <= failure.turn) continue;
      if (start.ms < untilMs - 1e-6) {
        throw new Error(
          `call ${call.index}: asks target ${target} at ${start.ms} with ${key}, which is limited until ${untilMs}`,
        );
      }
    }
  }
}

/** A key that the provider does not accept is followed by the next one, at once. */
function walkLaw(attempt: TracedAttempt, model: Model): void {
  const { call, target, failure } = attempt;
  if (failure === undefined || !isKeyFailure(attempt) || call.abort?.turn === failure.turn || call.handed.length > 0)
    return;
  if (call.attempts.some((one) => model.isHedge(one))) return;
  const leftMs = call.deadlineMs - failure.ms;
  if (leftMs < Math.max(50, model.usual(target, failure)[1]) + 1e-6) return;
  if (!model.isAlwaysClosed(target, failure)) return;
  const used = call.attempts.filter((one) => one.target === target).map(({ key }) => key);
  const clean = keysOf(model.trace, target).filter(
    (key) => model.isClean(target, key, failure) && !(used.includes(key) && isUsedUpTo(key)),
  );
  if (clean.length === 0) return;
  const next = call.attempts.find(({ start }) => start.seq > failure.seq);
  if (next?.target !== target || next.start.ms !== failure.ms || next.key === attempt.key) {
    throw new Error(`call ${call.index}: does not go on with another key of target ${target} at ${failure.ms}`);
  }
  if (!model.isWalk(next)) throw new Error("the model takes a walk for something else");

  function isUsedUpTo(key: string): boolean {
    return call.attempts.some(
      (one) => one.target === target && one.key === key && one.start.seq <= attempt.start.seq && isKeyFailure(one),
    );
  }
}

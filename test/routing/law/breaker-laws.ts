import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { isTargetFailure, type Model, reasonOf } from "./model.ts";
import { keysOf, membersOf, type TracedAttempt, type TracedCall, type TracedChange } from "./trace.ts";

/** Laws of breakers and tiers. */
export function breakerLaws(model: Model): void {
  for (const change of model.trace.changes) if (change.to === "open") openLaw(change, model);
  for (const call of model.trace.calls) {
    tierLaw(call, model);
    lastTierLaw(call, model);
    planLaw(call, model);
  }
  for (const attempt of model.trace.attempts) openTargetLaw(attempt, model);
}

/** A breaker opens only after the configured failures. */
function openLaw(change: TracedChange, model: Model): void {
  const { consecutive, failureRatio, minCalls, windowMs, openMs, openMaxMs } = model.trace.script.breaker;
  const { target, forMs = 0 } = change;
  const shortest = Math.min(openMs, openMaxMs);
  if (forMs < shortest || forMs > 1.1 * openMaxMs) throw new Error(`target ${target} is open for ${forMs} ms`);
  // A failure opens the breaker before its attempt has ended.
  const known = model.at(target).filter((one) => {
    const [end] = one.ends;
    return end !== undefined && (end.seq < change.seq || (end.turn === change.turn && isTargetFailure(one)));
  });
  const ended = known.toSorted((a, b) => (a.ends[0]?.seq ?? 0) - (b.ends[0]?.seq ?? 0));
  if (change.from === "half_open") {
    if (!ended.some((one) => isTargetFailure(one) && one.ends[0]?.turn === change.turn)) {
      throw new Error(`target ${target} opens again without a failure`);
    }
    return;
  }
  let inRow = 0;
  for (const one of ended) {
    if (isTargetFailure(one)) inRow++;
    else if (one.ends[0]?.outcome === AttemptOutcome.ANSWERED && model.stateOf(target, one.start.seq) === "closed") {
      inRow = 0;
    }
  }
  if (inRow >= consecutive) return;
  const inWindow = ended.filter(({ ends }) => (ends[0]?.ms ?? 0) >= change.ms - windowMs).filter(isTargetFailure);
  if (inWindow.length >= failureRatio * minCalls) return;
  throw new Error(
    `target ${target} opens at ${change.ms} after ${inRow} failures in a row and ${inWindow.length} in the window`,
  );
}

/** The first tier with a usable target gets the first attempt, unless the time is too short for it. */
function tierLaw(call: TracedCall, model: Model): void {
  const [first] = call.attempts;
  if (first === undefined || call.scripted.planMs > 0) return;
  const members = membersOf(call.route);
  const tier = members.find(({ target }) => target === first.target)?.tier ?? 0;
  const before = members.find(
    (member) =>
      member.tier < tier &&
      !model.isExcluded(call, member.target) &&
      model.isCertain(member.target, first.start) &&
      model.usual(member.target, first.start)[1] <= first.leftMs,
  );
  if (before === undefined) return;
  throw new Error(`call ${call.index}: passes over target ${before.target} of an earlier tier`);
}

/** A call fails without an attempt only if nobody can serve it, or the keys of all that could are limited. */
function lastTierLaw(call: TracedCall, model: Model): void {
  const [end] = call.ends;
  if (call.attempts.length > 0 || end === undefined || call.abort?.turn === end.turn) return;
  const members = membersOf(call.route).filter(({ target }) => !model.isExcluded(call, target));
  for (const { target } of members) {
    const isLimited = keysOf(model.trace, target).some((key) =>
      model.at(target).some((one) => one.key === key && reasonOf(one) === "PROVIDER_RATE_LIMITED"),
    );
    if (!isLimited) throw new Error(`call ${call.index}: does not ask target ${target}, for want of a better one`);
  }
}

/** An open target is asked only if the call has no other, and a half-open one by one call at a time. */
function openTargetLaw({ call, target, start }: TracedAttempt, model: Model): void {
  const state = model.stateOf(target, start.seq);
  if (state === "closed") return;
  // Then the context windows decide which targets are left.
  if (call.attempts.some((one) => reasonOf(one) === "CONTEXT_LENGTH_EXCEEDED")) return;
  const members = membersOf(call.route);
  const tier = members.find((member) => member.target === target)?.tier ?? 0;
  // A later tier without a target that still can be asked makes this one the last.
  const later = model.untried(call, start.seq).filter((member) => member.tier > tier);
  const isLast = later.every(
    (member) => model.isExcluded(call, member.target) || !model.isCertain(member.target, start),
  );
  if (isLast) return;
  if (state === "open")
    throw new Error(`call ${call.index}: asks target ${target}, which is open, before a later tier`);
  const since = model.trace.changes.findLast((change) => change.target === target && change.seq < start.seq);
  const other = model
    .at(target)
    .find(
      (one) => one.start.seq > (since?.seq ?? 0) && one.start.seq < start.seq && (one.ends[0]?.seq ?? 0) > start.seq,
    );
  if (other !== undefined)
    throw new Error(`call ${call.index}: is the second one at target ${target}, which is half open`);
}

/** PlanChat names the target that the call asks. */
function planLaw({ considered, attempts, start, index, abort }: TracedCall, { trace }: Model): void {
  if (considered === undefined || abort?.turn === start.turn) return;
  // What other calls do between PlanChat and the call changes the state.
  if (trace.script.merges) return;
  const [first] = attempts;
  const now = first?.start.turn === start.turn ? first : undefined;
  if (considered.rejection === "" && now?.target !== considered.target) {
    throw new Error(`call ${index}: PlanChat names target ${considered.target}, and the call asks ${now?.target}`);
  }
  if (considered.rejection !== "" && now !== undefined) {
    throw new Error(`call ${index}: PlanChat names no target, and the call asks ${now.target}`);
  }
}

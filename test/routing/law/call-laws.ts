import { GatewayError } from "../../../src/errors.ts";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import {
  type Fail,
  isFinalFailure,
  isLost,
  type Model,
  reasonOf,
  requestedDelay,
  shortestMs,
  tolerance,
} from "./model.ts";
import { keyless, keysOf, membersOf, type TracedAttempt, type TracedCall } from "./trace.ts";

/** How a call ends. */
export function endLaws(call: TracedCall, model: Model, fail: Fail): void {
  const [end, ...more] = call.ends;
  if (call.isEndless) fail("does not come to an end");
  if (end === undefined || more.length > 0) fail(`has ${call.ends.length} ends`);
  if (end.ms > call.deadlineMs) fail(`ends ${end.ms - call.deadlineMs} ms after its deadline`);
  if (call.abort !== undefined && end.turn !== call.abort.turn) fail("goes on after its cancel or deadline");
  // An attempt that has answered with a stream keeps its listener until the call is forgotten.
  const isStreamed = !call.scripted.whole && call.handed.length > 0;
  if ((call.listeners ?? 0) > (isStreamed ? 1 : 0)) fail(`leaves ${call.listeners} listeners at its signal`);
  for (const attempt of call.attempts) {
    if (attempt.ends.length !== 1) fail(`has an attempt with ${attempt.ends.length} ends`);
    const { turn, outcome, ms } = attempt.ends[0] as (typeof attempt.ends)[number];
    if (outcome === AttemptOutcome.UNSPECIFIED) fail("has an attempt without an outcome");
    if (turn > end.turn) fail(`ends at ${end.ms}, and its attempt goes on until ${ms}`);
  }
  const { abort } = call;
  if (abort !== undefined && abort.turn === end.turn && end.error !== undefined) {
    // A call does not sleep until its deadline: it knows before that nothing can start any more.
    const running = call.attempts.some(({ ends, start }) => ends[0]?.turn === abort.turn && start.seq < abort.seq);
    const isFirstWait = call.attempts.length === 0 && call.scripted.planMs > 0;
    if (abort.kind === "DEADLINE_EXCEEDED" && !running && !isFirstWait && call.scripted.planMs === 0) {
      fail("waits until its deadline without an attempt");
    }
    return;
  }
  if (end.error === undefined) return;
  failureLaws(call, model, fail);
}

/** What holds for a call that fails by itself. */
function failureLaws(call: TracedCall, model: Model, fail: Fail): void {
  const end = call.ends[0] as TracedCall["ends"][number];
  if (!(end.error instanceof GatewayError)) fail("fails with an error that is not a GatewayError");
  if (call.handed.length > 0) return;
  const isFinal = call.attempts.some(isFinalFailure);
  if (isFinal) return;
  if (call.attempts.some((one) => isLost(one) && !call.attempts.some((other) => other !== one && other.output))) {
    fail("aborts an attempt as slower although no other one has output");
  }
  const delays = call.attempts.flatMap((one) => requestedDelay(one) ?? []);
  const said = end.error.facts.retryAfterMs;
  // How long a key cools if its provider does not say it is a guess, which other calls have changed.
  const guesses = call.attempts.filter((one) => isGuessed(one));
  if (guesses.length > 0 && said === undefined) fail("does not say when the limited key can be used");
  if (guesses.length === 0 && delays.length > 0 && said !== Math.min(...delays)) {
    fail(`says to retry after ${said} ms instead of ${Math.min(...delays)}`);
  }
  giveUpLaws(call, model, end, fail);
}

/** Whether a provider limits a key and does not say for how long. */
function isGuessed(attempt: TracedAttempt): boolean {
  const isKey = attempt.key !== keyless(attempt.target);
  return isKey && reasonOf(attempt) === "PROVIDER_RATE_LIMITED" && !requestedDelay(attempt);
}

/** A call does not fail while it could still ask somebody. */
function giveUpLaws(call: TracedCall, model: Model, end: TracedCall["ends"][number], fail: Fail): void {
  const { maxAttempts } = call.route.rules;
  const leftMs = call.deadlineMs - end.ms;
  const isTooLong = call.attempts.some((one) => reasonOf(one) === "CONTEXT_LENGTH_EXCEEDED");
  if (model.counted(call, end.seq) >= maxAttempts || isTooLong || call.scripted.planMs > 0) return;
  const fits = (target: number, delayMs = 0) =>
    call.attempts.length === 0 || leftMs - delayMs >= Math.max(shortestMs, model.usual(target, end)[1]) + tolerance;
  for (const { target } of model.untried(call, end.seq)) {
    if (model.isExcluded(call, target) || !fits(target) || !model.isCertain(target, end)) continue;
    fail(`gives up although it has not asked target ${target}`);
  }
  // The last tier is asked although it is open.
  const members = membersOf(call.route).filter(({ target }) => !model.isExcluded(call, target));
  const lastTier = Math.max(...members.map(({ tier }) => tier));
  const last = members.filter(({ tier }) => tier === lastTier);
  const isAsked = last.some(({ target }) => call.attempts.some((one) => one.target === target));
  const isAskable = last.some(
    ({ target }) => fits(target) && keysOf(model.trace, target).some((key) => model.isClean(target, key, end)),
  );
  if (!isAsked && isAskable) fail("gives up although it has not asked its last tier");
  retryLaw(call, model, end, fits, fail);
}

/** A failure that can pass is followed by a retry. */
function retryLaw(
  call: TracedCall,
  model: Model,
  end: TracedCall["ends"][number],
  fits: (target: number, delayMs: number) => boolean,
  fail: Fail,
): void {
  const { maxPerTarget, backoff, retryBudget } = call.route.rules;
  const last = call.attempts.at(-1);
  const reason = last && reasonOf(last);
  if (last === undefined || reason === undefined || last.failure === undefined) return;
  const error = last.failure.error as GatewayError;
  const again = ["PROVIDER_UNAVAILABLE", "PROVIDER_TIMEOUT", "PROVIDER_STREAM_INTERRUPTED"].includes(reason);
  if (
    !again ||
    error.facts.retryHere === false ||
    requestedDelay(last) !== undefined ||
    call.attempts.some((one) => model.isHedge(one))
  )
    return;
  const tries = model.counted(call, end.seq, last.target);
  const isCalm = retryBudget === 1 || model.at(last.target).filter((one) => model.isRetry(one)).length < 10;
  if (tries >= maxPerTarget || !isCalm || !model.isCertain(last.target, end)) return;
  const longestMs = Math.min(backoff.maxMs, backoff.initialMs * 2 ** (tries - 1));
  if (fits(last.target, longestMs)) fail(`does not retry target ${last.target}`);
}

/** What is handed on. */
export function commitLaws(call: TracedCall, fail: Fail): void {
  const [first] = call.handed;
  const [end] = call.ends;
  if (first === undefined) {
    if (end !== undefined && end.error === undefined) fail("succeeds without a response");
    return;
  }
  const winner = call.attempts.find(({ batches }) => batches.includes(first.batch));
  if (winner === undefined) fail("hands on what no attempt sent");
  for (const [index, { batch }] of call.handed.entries()) {
    if (batch !== winner.batches[index]) fail(`hands on another batch in the place ${index}`);
  }
  const isAll = call.handed.length === winner.batches.length;
  if (end?.error === undefined && !isAll) fail("succeeds with a part of the response");
  if (call.abort === undefined && !isAll) fail("loses a part of the response");
  const isAborted = call.abort?.turn === end?.turn;
  if (end?.error === undefined && !isAborted && winner.ends[0]?.outcome !== AttemptOutcome.ANSWERED)
    fail("has no whole response");
  if (call.scripted.whole) {
    const [answered] = winner.ends;
    if (answered?.outcome !== AttemptOutcome.ANSWERED || answered.turn > first.turn) {
      fail("hands on a part of the response to a caller who wants all of it");
    }
  }
  if (end?.error === undefined || call.abort !== undefined) {
    for (const one of call.attempts) {
      if (one !== winner && isLost(one) && one.ends[0]?.outcome !== AttemptOutcome.FAILED) {
        if (one.ends[0]?.outcome !== AttemptOutcome.ABANDONED) fail("has a loser that is not ABANDONED");
        if (!one.hasUsage()) fail("has a loser without usage");
      }
    }
  }
}

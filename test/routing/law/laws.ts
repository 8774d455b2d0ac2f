import { GatewayError } from "../../../src/errors.ts";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { breakerLaws } from "./breaker-laws.ts";
import { keyLaws } from "./key-laws.ts";
import { isFinalFailure, isKeyFailure, isLost, isShareCut, Model, reasonOf, requestedDelay } from "./model.ts";
import { keysOf, membersOf, type Trace, type TracedAttempt, type TracedCall } from "./trace.ts";

const shortestMs = 50;
const tolerance = 1e-6;

/** Throws what a trace violates of the laws of routing. */
export function check(trace: Trace): void {
  const model = new Model(trace);
  const fail = (text: string, { call, target, start }: Partial<TracedAttempt> & { call: TracedCall }): never => {
    const place = start === undefined ? "" : ` (attempt at target ${target}, started at ${start.ms})`;
    throw new Error(`call ${call.index}: ${text}${place}`);
  };
  for (const call of trace.calls) {
    endLaws(call, model, (text) => fail(text, { call }));
    commitLaws(call, (text) => fail(text, { call }));
    for (const attempt of call.attempts) {
      startLaws(attempt, model, (text) => fail(text, attempt));
      hedgeLaws(attempt, model, (text) => fail(text, attempt));
      shareLaws(attempt, model, (text) => fail(text, attempt));
      budgetLaws(attempt, model, (text) => fail(text, attempt));
    }
  }
  hedgeBudgetLaw(model);
  keyLaws(model);
  breakerLaws(model);
  if (trace.leftInFlight !== 0) throw new Error(`${trace.leftInFlight} attempts are in progress after the end`);
  if (trace.leftTimers > 0) throw new Error(`${trace.leftTimers} timers are left after the last call`);
}

type Fail = (text: string) => never;

/** When an attempt may start. */
function startLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
  const { call, start, leftMs, target } = attempt;
  const isFirst = call.attempts[0] === attempt;
  if (leftMs <= 0) fail("starts an attempt after its deadline");
  if (call.abort !== undefined && call.abort.seq < start.seq) fail("starts an attempt after its end");
  if (!isFirst) {
    if (leftMs < shortestMs - tolerance) fail(`starts an attempt ${leftMs} ms before its deadline`);
    const [usual] = model.usual(target, start);
    if (leftMs < usual - tolerance) fail(`starts an attempt with ${leftMs} ms at a target that usually needs ${usual}`);
  }
  if (model.isExcluded(call, target)) fail("asks a target that cannot serve the request");
  const handed = call.handed[0];
  if (handed !== undefined && handed.seq < start.seq) fail("starts an attempt after its commit point");
  const final = call.attempts.find((one) => isFinalFailure(one) && one.ends[0] && one.ends[0].turn < start.turn);
  if (final !== undefined && !isLost(final)) fail(`starts an attempt after ${reasonOf(final)}`);
  const { maxAttempts, maxPerTarget, timeouts } = call.route.rules;
  const seq = start.seq + 1;
  if (model.counted(call, seq) > maxAttempts) fail(`makes more than ${maxAttempts} attempts`);
  if (model.counted(call, seq, target) > maxPerTarget) fail(`makes more than ${maxPerTarget} attempts at a target`);
  const earlier = call.attempts.filter((one) => one.target === target && one.start.seq < start.seq);
  for (const one of earlier) {
    const reason = reasonOf(one);
    if (reason === "QUEUE_FULL" || reason === "CONTEXT_LENGTH_EXCEEDED") fail(`asks a target again after ${reason}`);
    if (one.failure?.error instanceof GatewayError && one.failure.error.facts.retryHere === false) {
      if (!isKeyFailure(one)) fail("asks a target again that must not be asked again");
    }
    const delayMs = isKeyFailure(one) ? undefined : requestedDelay(one);
    const next = earlier.at(-1) === one;
    if (next && delayMs !== undefined && start.ms < (one.ends[0]?.ms ?? 0) + delayMs - tolerance) {
      fail(`retries before the ${delayMs} ms have passed that the provider requested`);
    }
  }
  // A larger context window only.
  const windows = model.trace.script.targets;
  const tooLong = call.attempts.find(
    (one) =>
      one.start.seq < start.seq &&
      reasonOf(one) === "CONTEXT_LENGTH_EXCEEDED" &&
      !isLost(one) &&
      one.ends[0] &&
      one.ends[0].seq < start.seq &&
      !model.isHedge(attempt) &&
      !model.isHedge(one),
  );
  if (tooLong && (windows[target]?.windowTokens ?? 0) <= (windows[tooLong.target]?.windowTokens ?? 0)) {
    fail("moves to a target whose context window is not larger");
  }
  const [end] = attempt.ends;
  const { output } = attempt;
  const lastMs = Math.min(
    output === undefined && timeouts.firstOutputMs > 0 ? timeouts.firstOutputMs : Infinity,
    timeouts.attemptMs > 0 && !(attempt.batches.length > 0 && !call.scripted.whole) ? timeouts.attemptMs : Infinity,
  );
  if (end !== undefined && end.ms - start.ms > lastMs + tolerance) fail(`is not cut after ${lastMs} ms`);
}

/** How a call ends. */
function endLaws(call: TracedCall, model: Model, fail: Fail): void {
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
  if (delays.length > 0 && end.error.facts.retryAfterMs !== Math.min(...delays)) {
    fail(`says to retry after ${end.error.facts.retryAfterMs} ms instead of ${Math.min(...delays)}`);
  }
  giveUpLaws(call, model, end, fail);
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
    error.facts.retryAfterMs !== undefined ||
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
function commitLaws(call: TracedCall, fail: Fail): void {
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

/** Attempts beside each other. */
function hedgeLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
  const { call, start, target } = attempt;
  const beside = call.attempts.filter((one) => one.start.seq < start.seq && (one.ends[0]?.seq ?? 0) > start.seq);
  if (beside.length > 0) {
    const { hedge } = call.route.rules;
    if (hedge === undefined || !call.scripted.canHedge) fail("starts an attempt beside another one");
    if (beside.length > 1) fail("runs more than two attempts");
    const [first] = beside as [TracedAttempt];
    if (first.target === target) fail("hedges at the same target");
    if (first.output !== undefined && first.output.turn < start.turn) fail("hedges an attempt that has output");
    if (hedge?.after === "p95") {
      const samples = model.at(first.target).filter(({ output }) => output && output.turn <= first.start.turn).length;
      if (samples < 50) fail("hedges before it knows the 95th percentile");
    } else if (start.ms - first.start.ms < (hedge?.after ?? 0) - tolerance) fail("hedges too early");
  }
  // The first output ends the other one.
  const { output } = attempt;
  if (output === undefined) return;
  for (const other of call.attempts) {
    const [end] = other.ends;
    if (other === attempt || end === undefined) continue;
    if (other.start.seq < output.seq && end.turn > output.turn) fail("does not abort the slower attempt at once");
  }
  const isAnswerLost = isLost(attempt) && (attempt.abort?.turn ?? 0) > output.turn;
  if (isAnswerLost) fail("aborts an attempt that had the first output");
}

function hedgeBudgetLaw(model: Model): void {
  for (const [index, { rules }] of model.trace.script.routes.entries()) {
    const calls = model.trace.calls.filter(({ scripted }) => scripted.route === index);
    const hedges = calls.flatMap(({ attempts }) => attempts).filter((one) => model.isHedge(one)).length;
    if (hedges > calls.length * (rules.hedge?.budget ?? 0) + tolerance) {
      throw new Error(`route ${index} has ${hedges} hedges for ${calls.length} calls`);
    }
  }
}

/** Share of an attempt in the time that is left. */
function shareLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
  const { call, start, leftMs, target, output, ends } = attempt;
  const [end] = ends;
  if (end === undefined) return;
  const others = model
    .untried(call, start.seq)
    .filter((one) => one.target !== target && !call.scripted.obstacles.includes(one.target));
  if (isShareCut(attempt)) {
    if (output !== undefined && output.turn < end.turn) fail("cuts an attempt that has output by its share");
    const untried = model.untried(call, end.seq).filter((one) => !model.isExcluded(call, one.target));
    if (untried.length === 0) fail("cuts an attempt by its share although no other target can be asked");
    const shareMs = Math.max(leftMs / (others.length + 1), 2 * model.usual(target, start)[0]);
    if (end.ms - start.ms < shareMs - tolerance) fail(`cuts an attempt before its share of ${shareMs} ms`);
    const next = call.attempts.find((one) => one.start.seq > end.seq);
    const isHedged = call.attempts.some((one) => model.isHedge(one));
    if (call.abort === undefined && !isHedged && call.scripted.planMs === 0) {
      if (next === undefined || next.target === target || next.start.ms !== end.ms) {
        fail("cuts an attempt by its share, and then asks no other target");
      }
    }
    return;
  }
  // Who stalls is cut, if another target could be asked.
  const { abort } = call;
  if (abort?.kind !== "DEADLINE_EXCEEDED" || output !== undefined || end.turn !== abort.turn) return;
  if (model.isHedge(attempt) || call.scripted.planMs > 0 || call.scripted.unplannable.length > 0) return;
  if (model.counted(call, start.seq + 1) >= call.route.rules.maxAttempts) return;
  const shareMs = leftMs / 2;
  if (2 * model.usual(target, start)[1] > shareMs) return;
  for (const other of model.untried(call, end.seq)) {
    if (model.isExcluded(call, other.target) || !model.isCertain(other.target, end)) continue;
    if (shareMs < Math.max(shortestMs, model.usual(other.target, end)[1]) + tolerance) continue;
    // What the other target usually needs can have been more for a while.
    if (model.at(other.target).some(({ output: sample }) => sample && sample.turn > start.turn)) continue;
    if (call.attempts.some((one) => model.isHedge(one))) continue;
    if (call.attempts.some((one) => reasonOf(one) === "CONTEXT_LENGTH_EXCEEDED")) continue;
    fail(`waits until the deadline although target ${other.target} could have been asked`);
  }
}

/** Retries at one target: 20 % of its attempts, or 10 a second. */
function budgetLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
  if (!model.isRetry(attempt)) return;
  const { start, target, call } = attempt;
  const second = Math.floor(start.ms / 1_000);
  const before = model.at(target).filter((one) => one.start.seq < start.seq);
  const inSecond = before.filter((one) => Math.floor(one.start.ms / 1_000) === second && model.isRetry(one)).length;
  if (inSecond < 10) return;
  const recent = before.filter((one) => Math.floor(one.start.ms / 1_000) > second - 10);
  const retries = recent.filter((one) => model.isRetry(one)).length;
  if (retries >= call.route.rules.retryBudget * recent.length) fail("retries beyond the budget");
}

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

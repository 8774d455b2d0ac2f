import { GatewayError } from "../../../src/errors.ts";
import {
  type Fail,
  isFinalFailure,
  isKeyFailure,
  isLost,
  isShareCut,
  type Model,
  reasonOf,
  requestedDelay,
  shortestMs,
  tolerance,
} from "./model.ts";
import type { TracedAttempt } from "./trace.ts";

/** When an attempt may start. */
export function startLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
  const { call, start, leftMs, target } = attempt;
  const isFirst = call.attempts[0] === attempt;
  if (leftMs <= 0) fail("starts an attempt after its deadline");
  if (call.abort !== undefined && call.abort.seq < start.seq) fail("starts an attempt after its end");
  if (!isFirst) {
    if (leftMs < shortestMs - tolerance) fail(`starts an attempt ${leftMs} ms before its deadline`);
    const [usual] = model.usual(target, start);
    if (leftMs < usual - tolerance) fail(`starts an attempt with ${leftMs} ms at a target that usually needs ${usual}`);
  }
  if (isFirst) lateLaw(attempt, model, fail);
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

/** The first attempt is not made where it cannot finish, while another target can be asked that can. */
function lateLaw({ call, start, leftMs, target }: TracedAttempt, model: Model, fail: Fail): void {
  const latest = model.at(target).findLast((one) => one.start.seq < start.seq);
  if (latest === undefined || start.ms - latest.start.ms >= 10_000 || call.scripted.planMs > 0) return;
  const [usual] = model.usual(target, start);
  if (leftMs >= usual - tolerance || leftMs < shortestMs + tolerance) return;
  for (const other of model.untried(call, start.seq)) {
    if (other.target === target || model.isExcluded(call, other.target) || !model.isCertain(other.target, start))
      continue;
    if (leftMs < model.usual(other.target, start)[1] + tolerance) continue;
    fail(`asks a target that usually needs ${usual} ms, although target ${other.target} needs less`);
  }
}

/** Attempts beside each other. */
export function hedgeLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
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

export function hedgeBudgetLaw(model: Model): void {
  for (const [index, { rules }] of model.trace.script.routes.entries()) {
    const calls = model.trace.calls.filter(({ scripted }) => scripted.route === index);
    const hedges = calls.flatMap(({ attempts }) => attempts).filter((one) => model.isHedge(one)).length;
    if (hedges > calls.length * (rules.hedge?.budget ?? 0) + tolerance) {
      throw new Error(`route ${index} has ${hedges} hedges for ${calls.length} calls`);
    }
  }
}

/** Share of an attempt in the time that is left. */
export function shareLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
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
    const [low, high] = model.usual(target, start);
    const shareMs = Math.max(leftMs / (others.length + 1), high > leftMs ? 0 : 2 * low);
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
export function budgetLaws(attempt: TracedAttempt, model: Model, fail: Fail): void {
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

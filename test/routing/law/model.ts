import { GatewayError, type Reason } from "../../../src/errors.ts";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { AttemptCut } from "../../../src/routing/attempt-record.ts";
import type { TargetStateName } from "../../../src/routing/target-view.ts";
import { keysOf, type Moment, membersOf, type Trace, type TracedAttempt, type TracedCall } from "./trace.ts";

const forKey: ReadonlySet<unknown> = new Set<Reason>([
  "PROVIDER_RATE_LIMITED",
  "PROVIDER_CREDENTIALS_REJECTED",
  "PROVIDER_QUOTA_EXHAUSTED",
  "PROVIDER_PERMISSION_DENIED",
]);
const forTarget: ReadonlySet<unknown> = new Set<Reason>([
  "PROVIDER_UNAVAILABLE",
  "PROVIDER_TIMEOUT",
  "PROVIDER_STREAM_INTERRUPTED",
]);
const final: ReadonlySet<unknown> = new Set<Reason>(["INVALID_REQUEST", "INTERNAL"]);

/** Time that an attempt needs at least; only the first one of a call may have less. */
export const shortestMs = 50;

/** Error of sums of times. */
export const tolerance = 1e-6;

/** Reports what violates a law. */
export type Fail = (text: string) => never;

/**
 * Returns the reason of a provider's failure, also if it broke off a response. Undefined: routing or the call ended the
 * attempt, or it has not failed.
 */
export function reasonOf(attempt: TracedAttempt): Reason | undefined {
  if (attempt.failure === undefined) return undefined;
  const { error } = attempt.failure;
  return error instanceof GatewayError ? (inTheMiddle(attempt)?.reason ?? error.reason) : "INTERNAL";
}

/** Returns what a provider reported in the middle of its response. A malformed response is as one that is cut. */
function inTheMiddle({ failure }: TracedAttempt) {
  const { brokenBy } = failure?.error instanceof GatewayError ? failure.error.facts : {};
  return brokenBy?.reason === "PROVIDER_FAULT" ? undefined : brokenBy;
}

export const isKeyFailure = (attempt: TracedAttempt): boolean => forKey.has(reasonOf(attempt));
export const isFinalFailure = (attempt: TracedAttempt): boolean => final.has(reasonOf(attempt));

/** Whether an attempt tells the breaker about a failure of its target. */
export function isTargetFailure(attempt: TracedAttempt): boolean {
  const [end] = attempt.ends;
  const reason = inTheMiddle(attempt)?.reason ?? end?.reason;
  return (end?.outcome === AttemptOutcome.FAILED && forTarget.has(reason)) || isShareCut(attempt);
}

export function isShareCut({ abort, ends }: TracedAttempt): boolean {
  const reason = abort?.reason;
  const isOurs = reason instanceof AttemptCut && reason.message.endsWith("its share of the time that was left");
  return isOurs && ends[0]?.outcome === AttemptOutcome.ABANDONED;
}

export function isLost({ abort }: TracedAttempt): boolean {
  const reason = abort?.reason;
  return reason instanceof GatewayError && reason.message === "another attempt was faster";
}

/** Returns the delay that a provider requested with a failure. */
export function requestedDelay(attempt: TracedAttempt): number | undefined {
  const { failure } = attempt;
  if (!(failure?.error instanceof GatewayError)) return undefined;
  return (inTheMiddle(attempt) ?? failure.error.facts).retryAfterMs;
}

/** What a bystander knows about targets and keys from the events alone. */
export class Model {
  readonly trace: Trace;
  readonly #byTarget: TracedAttempt[][];
  readonly #walks = new Map<TracedAttempt, readonly string[]>();

  constructor(trace: Trace) {
    this.trace = trace;
    this.#byTarget = trace.script.targets.map(() => []);
    for (const attempt of trace.attempts) this.#byTarget[attempt.target]?.push(attempt);
  }

  at(target: number): readonly TracedAttempt[] {
    return this.#byTarget[target] ?? [];
  }

  /** State of a breaker before an event. */
  stateOf(target: number, seq: number): TargetStateName {
    return this.trace.changes.findLast((change) => change.target === target && change.seq < seq)?.to ?? "closed";
  }

  /** Whether a target has always been closed before a moment, its own turn included. */
  isAlwaysClosed(target: number, { turn }: Moment): boolean {
    return !this.trace.changes.some((change) => change.target === target && change.turn <= turn);
  }

  /** Whether no attempt with a key has failed because of the key, up to the turn of a moment. */
  isClean(target: number, key: string, { turn }: Moment): boolean {
    return (
      !this.trace.attempts.some(
        (attempt) => attempt.key === key && isKeyFailure(attempt) && (attempt.failure?.turn ?? 0) <= turn,
      ) || !keysOf(this.trace, target).includes(key)
    );
  }

  /** Whether nothing that happened up to the turn of a moment can keep a call from a target. */
  isCertain(target: number, moment: Moment): boolean {
    return (
      this.isAlwaysClosed(target, moment) && keysOf(this.trace, target).some((key) => this.isClean(target, key, moment))
    );
  }

  /** Whether a call can never use a target. */
  isExcluded({ scripted }: TracedCall, target: number): boolean {
    return scripted.obstacles.includes(target) || scripted.unplannable.includes(target);
  }

  /** Targets of a call that it has not tried before an event. */
  untried(call: TracedCall, seq: number): readonly { readonly target: number; readonly tier: number }[] {
    return membersOf(call.route).filter(
      ({ target }) => !call.attempts.some((attempt) => attempt.target === target && attempt.start.seq < seq),
    );
  }

  /** Bounds of the usual time to the first output: Dragoman computes the median anew after some samples. */
  usual(target: number, { turn }: Moment): readonly [low: number, high: number] {
    const samples: number[] = [];
    let ofTurn = 0;
    const outputs = this.at(target)
      .filter(({ isWhole, output }) => !isWhole && output !== undefined && output.turn <= turn)
      .toSorted((a, b) => (a.output?.seq ?? 0) - (b.output?.seq ?? 0));
    for (const { output, start } of outputs) {
      samples.push((output?.ms ?? 0) - start.ms);
      if (output?.turn === turn) ofTurn++;
    }
    if (samples.length === ofTurn && ofTurn === 0) return [0, 0];
    const lag = Math.floor(samples.length / 8) + ofTurn;
    let [low, high] = [Number.POSITIVE_INFINITY, 0];
    for (let left = samples.length - lag; left <= samples.length; left++) {
      const sorted = samples.slice(0, left).sort((a, b) => a - b);
      const median = sorted[Math.floor(left / 2)] ?? 0;
      low = Math.min(low, median);
      high = Math.max(high, median);
    }
    return [low, high];
  }

  /** Whether an attempt only moved to another key of its target. */
  isWalk(attempt: TracedAttempt): boolean {
    return this.#walkOf(attempt).length > 1;
  }

  /** Returns the keys that a target was asked with in turn, up to that of an attempt. */
  #walkOf(attempt: TracedAttempt): readonly string[] {
    const known = this.#walks.get(attempt);
    if (known !== undefined) return known;
    const { call, target, key, start } = attempt;
    const before = call.attempts.filter((one) => one.start.seq < start.seq);
    const latest = before.findLast((one) => one.target === target);
    const [end] = latest?.ends ?? [];
    let walk = [key];
    if (latest !== undefined && end !== undefined && isKeyFailure(latest)) {
      const earlier = this.#walkOf(latest);
      const waited = before.some((one) => one !== latest && (one.ends[0]?.seq ?? 0) > end.seq);
      const isAtOnce = (end.ms === start.ms || waited) && !before.some((one) => one.start.seq > end.seq);
      if (isAtOnce && !earlier.includes(key)) walk = [...earlier, key];
    }
    this.#walks.set(attempt, walk);
    return walk;
  }

  /** Number of attempts of a call before an event, without moves to another key, and without those of full queues. */
  counted(call: TracedCall, seq: number, target?: number): number {
    return call.attempts.filter(
      (one) =>
        one.start.seq < seq &&
        (target === undefined || one.target === target) &&
        !this.isWalk(one) &&
        !(reasonOf(one) === "QUEUE_FULL" && (one.ends[0]?.seq ?? Infinity) < seq),
    ).length;
  }

  isRetry(attempt: TracedAttempt): boolean {
    const { call, target, start } = attempt;
    return !this.isWalk(attempt) && call.attempts.some((one) => one.target === target && one.start.seq < start.seq);
  }

  /** Whether an attempt started while another one of its call ran. */
  isHedge({ call, start }: TracedAttempt): boolean {
    return call.attempts.some((one) => one.start.seq < start.seq && (one.ends[0]?.seq ?? Infinity) > start.seq);
  }
}

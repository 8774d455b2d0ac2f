import { holderOf } from "../accounts/holder.ts";
import type { Caller } from "../accounts/keys.ts";
import { type GatewayError, toGatewayError } from "../errors.ts";
import type { Claimant } from "../fair-slots.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { CallInfo } from "../gen/dragoman/v1/error_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { CallRecord, ObservedCall, Operation, StartedCall } from "../ledger/record.ts";
import type { SentRequest } from "../ledger/sent-request.ts";
import type { Place } from "../linked-list.ts";
import type { LearnedFields } from "../routing/learned-fields.ts";
import type { Router } from "../routing/router.ts";
import type { CountingLimits } from "../tokens/counting-limits.ts";
import { readTraceContext, type TraceContext } from "../trace-context.ts";
import { CallClock } from "./call-clock.ts";
import type { CallEnvironment, CallSource } from "./call-environment.ts";
import { type CallFacts, unknownFacts } from "./call-facts.ts";
import { CallHoldings } from "./call-holdings.ts";
import { callIdPrefixes, createCallId } from "./call-id.ts";
import { createCallInfo } from "./call-info.ts";
import type { CallMethod } from "./call-method.ts";
import { clientGone, deadlineExceeded, requestIncomplete } from "./end-errors.ts";
import { Observers } from "./observers.ts";
import { outcomeOf } from "./outcome.ts";
import { cleanRequestId } from "./request-id.ts";
import type { Snapshot, SnapshotLease } from "./snapshot.ts";
import { UpstreamTime } from "./upstream-time.ts";

/**
 * One call from its request headers to its record. It has the caller, the deadline and the abort signal, and writes
 * exactly one record, whatever the outcome.
 *
 * An abort settles the call at once, without waiting for the end of the handler: connect-node leaves a handler
 * suspended if a client stops reading and then disconnects.
 */
export class Call implements ObservedCall {
  readonly id: string;
  readonly operation: Operation;
  readonly requestId: string;
  readonly #method: CallMethod;
  readonly startTime = new Date();
  readonly source: CallSource;
  /** Words of CallRecord.notes. */
  readonly notes = new Set<string>();
  /** Aborts all work of the call. The abort reason is a GatewayError. */
  readonly signal: AbortSignal;
  /** What the call holds of limits and budgets. */
  readonly holdings: CallHoldings;
  /** Span of the call, or the caller's span if calls are not traced. Undefined: there is none. */
  readonly trace: TraceContext | undefined;
  /** Called if `end` ends the call, when it has settled. */
  onEnded: ((reason: GatewayError) => void) | undefined;
  /** Place among the calls in progress. Undefined: it never was one of them. */
  place: Place<Call> | undefined;
  readonly #controller = new AbortController();
  readonly #clock: CallClock;
  readonly #patienceMs: number;
  #requestBytes = 0;
  readonly #environment: CallEnvironment;
  readonly #observers: Observers;
  readonly #lease: SnapshotLease;
  readonly #onSettled: (call: Call) => void;
  #caller: Caller | undefined;
  readonly #facts: { -readonly [Name in keyof CallFacts]: CallFacts[Name] } = { ...unknownFacts };
  #usage: () => Usage | undefined = () => undefined;
  #waitsFor: () => string | undefined = () => undefined;
  #firstOutputMs: number | undefined;
  readonly #upstream = new UpstreamTime();
  #releaseSlot: (() => void) | undefined;
  #settled = false;
  #recordedUsage: Usage | undefined;
  #recorded: Promise<unknown> | undefined;

  constructor(
    source: CallSource,
    method: CallMethod,
    environment: CallEnvironment,
    lease: SnapshotLease,
    onSettled: (call: Call) => void,
  ) {
    this.operation = method.operation ?? "chat";
    this.id = createCallId(callIdPrefixes[this.operation]);
    this.source = source;
    this.#method = method;
    this.#environment = environment;
    this.holdings = new CallHoldings(environment.limits);
    this.#observers = new Observers(environment.observers, environment.tracer, this.id);
    this.#lease = lease;
    this.#onSettled = onSettled;
    this.signal = this.#controller.signal;
    this.requestId = cleanRequestId(source.requestHeader.get("x-request-id")) ?? this.id;
    this.#patienceMs = source.patienceMs?.() ?? Number.POSITIVE_INFINITY;
    const { maxCallMs, maxRequestMs } = lease.snapshot.bounds;
    this.#clock = new CallClock(Math.min(source.timeoutMs() ?? Number.POSITIVE_INFINITY, maxCallMs), maxRequestMs, {
      deadline: () => this.end(deadlineExceeded(this.#waitsFor())),
      requestIncomplete: () => this.end(requestIncomplete(maxRequestMs)),
    });
    const caller = readTraceContext(source.requestHeader);
    this.trace = this.#observers.trace(caller, (tracer) => tracer.beginCall(this, caller));
    this.#observers.notify((observer) => observer.begin?.(this));
    source.onGone((reason) => this.clientGone(reason));
  }

  get method(): string {
    return this.#method.name;
  }

  get mayCost(): boolean {
    return this.#method.mayCost && this.#caller !== undefined;
  }

  get protocol(): string {
    return this.source.protocolName;
  }

  get peerAddress(): string {
    return this.source.peerAddress;
  }

  get snapshot(): Snapshot {
    return this.#lease.snapshot;
  }

  /** The authenticated caller. Set by `admitCall`, which must succeed before a method runs. */
  get caller(): Caller {
    if (this.#caller === undefined) throw new Error(`${this.method} ran before admitCall`);
    return this.#caller;
  }

  /** Account of the call, or its API key if it has no account. Queues are fair between holders. */
  get holder(): string {
    return holderOf({ accountId: this.#facts.accountId, keyId: this.caller.keyId });
  }

  /** Claimant for work before the request is decoded, when the account is unknown: its API key and address. */
  get sender(): Claimant {
    return { holder: `${this.#caller?.keyId ?? ""} ${this.peerAddress}`, signal: this.signal };
  }

  /** Milliseconds since the call started. */
  get elapsedMs(): number {
    return this.#clock.elapsedMs;
  }

  /** Milliseconds from the start of the call to the first output. Undefined: no output yet. */
  get firstOutputMs(): number | undefined {
    return this.#firstOutputMs;
  }

  /** Maximum size of the response, in bytes. */
  get maxAnswerBytes(): number {
    return this.snapshot.bounds.maxAnswerBytes;
  }

  /** Maximum number of values of the request. */
  get maxValues(): number {
    return this.snapshot.bounds.maxValues;
  }

  /** Bounds of token counting. */
  get counting(): CountingLimits {
    return this.snapshot.bounds.counting;
  }

  /** Fields that targets rejected although no caller wrote them. */
  get learned(): LearnedFields {
    return this.#environment.learned;
  }

  /** Health of the targets, and the attempts of calls. */
  get router(): Router {
    return this.#environment.router;
  }

  /**
   * Milliseconds until the deadline, or until the client stops waiting for the beginning of the response. A client that
   * is still there after that time waits longer than it said, so that only the deadline counts.
   */
  get leftMs(): number {
    const patienceMs = this.#patienceMs - this.elapsedMs;
    return patienceMs > 0 ? Math.min(this.#clock.leftMs, patienceMs) : this.#clock.leftMs;
  }

  /** Whether another attempt can end before the deadline. It can hardly be faster than the longest of these. */
  hasTimeForAnother(attempts: readonly Attempt[]): boolean {
    return !this.#settled && this.#clock.hasTimeForAnother(attempts);
  }

  get attempts(): readonly Attempt[] {
    return this.#facts.attempts;
  }

  admit(caller: Caller): void {
    this.#caller = caller;
  }

  /**
   * Holds the bytes of the request in the budget of all calls, until the call settles. `bytes`: those of this request
   * so far. If the budget is exhausted, ends the call and throws OVERLOADED.
   */
  holdRequest(bytes: number): void {
    if (this.#settled || bytes <= this.#requestBytes) return;
    try {
      this.#environment.requestBytes.grow(this.#requestBytes, bytes);
      this.#requestBytes = bytes;
    } catch (error) {
      this.end(toGatewayError(error));
      throw error;
    }
  }

  /** Bytes of the request that the call holds. */
  get requestBytes(): number {
    return this.#requestBytes;
  }

  /** Ends the wait for the request: it is complete. */
  requestComplete(): void {
    this.#clock.requestComplete();
  }

  /** Counts a wrong API key of this call's peer. Returns the milliseconds to wait before the rejection. */
  countWrongKey(): number {
    return this.#environment.wrongKeys.count(this.peerAddress, performance.now());
  }

  /** Adds facts to the call's record. */
  note(facts: Partial<CallFacts>): void {
    Object.assign(this.#facts, facts);
  }

  /** Sets the function that computes the usage for the record. It is called once, when the call settles. */
  countUsage(usage: () => Usage | undefined): void {
    this.#usage = usage;
  }

  /** Sets the function that returns what the call waits for in a queue, for the error DEADLINE_EXCEEDED. */
  explainDeadline(waitsFor: () => string | undefined): void {
    this.#waitsFor = waitsFor;
  }

  /**
   * Acquires one of the account's slots for the model until the call settles, unless it has one. `profileLimit` applies
   * if the configuration sets no limit. Throws CONCURRENCY_LIMITED if no slot is free.
   */
  acquireSlot(profileLimit: number | undefined): void {
    const { maxCallsPerModel, workers } = this.snapshot.bounds;
    const limit = maxCallsPerModel ?? Math.ceil((profileLimit ?? 0) / workers);
    if (limit === 0 || this.#settled || this.#releaseSlot !== undefined) return;
    const { accountId, model } = this.#facts;
    this.#releaseSlot = this.#environment.slots.take({ accountId, model, keyId: this.caller.keyId }, limit);
  }

  /** Reports to the observers that the call may ask a provider from now on. Resolves when they are ready for it. */
  starting(): Promise<unknown> | undefined {
    return this.#observers.notify((observer) => observer.starting?.(this.#startedCall()));
  }

  /** An upstream request of this call begins. Returns the trace context to send to its provider, if there is one. */
  attemptBegins(attempt: Attempt, request: SentRequest, baseUrl: string | undefined): TraceContext | undefined {
    this.#upstream.begin(attempt);
    return this.#observers.trace(this.trace, (tracer) => tracer.beginAttempt(this, attempt, request, baseUrl));
  }

  /** Reports to the observers that an upstream request of this call ended. */
  attemptEnded(attempt: Attempt): void {
    this.#upstream.end(attempt);
    this.#observers.notify((observer) => observer.attempt?.(this, attempt));
  }

  /** Reports to the observers that an upstream request of this call failed. */
  attemptFailed(attempt: Attempt, failure: GatewayError, request: SentRequest): void {
    this.#observers.notify((observer) => observer.attemptFailed?.(this, attempt, failure, request));
  }

  /** Records the time of the first output, `elapsedMs` after the call began. Later calls have no effect. */
  outputStarted(elapsedMs: number = this.elapsedMs): void {
    if (this.#firstOutputMs !== undefined) return;
    this.#firstOutputMs = elapsedMs;
    this.#observers.notify((observer) => observer.firstOutput?.(this, elapsedMs));
  }

  /** Aborts and settles the call: on its deadline, on a client disconnect or on shutdown. */
  end(reason: GatewayError): void {
    if (this.#settled) return;
    this.#controller.abort(reason);
    this.settle(reason);
    this.onEnded?.(reason);
  }

  /** Writes the record. Later calls have no effect. Without `error`, the call succeeded. */
  settle(error?: GatewayError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#clock.stop();
    this.#recordedUsage = this.#usage();
    const tokens = this.attempts.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? 0), 0);
    this.holdings.settle({ usage: this.#recordedUsage, tokens, wasSent: this.attempts.length > 0 });
    const record: CallRecord = {
      ...this.#startedCall(),
      outcome: outcomeOf(error, this.attempts),
      reason: error?.reason,
      usage: this.#recordedUsage,
      notes: [...this.holdings.notes, ...this.notes],
      attempts: this.attempts,
      durationMs: this.elapsedMs,
      firstOutputMs: this.#firstOutputMs,
      upstreamMs: this.#upstream.ms,
    };
    this.#recorded = this.#observers.notify((observer) => observer.settled?.(record, error));
    this.#releaseSlot?.();
    this.#environment.requestBytes.release(this.#requestBytes);
    this.#lease.release();
    this.#onSettled(this);
  }

  /** Resolves when the observers have the record, for which the response waits. Undefined: it has nothing to wait for. */
  get recorded(): Promise<unknown> | undefined {
    return this.#recorded;
  }

  /** Detail of the error if the call fails: its id, and once it has settled, its usage and attempts. */
  get info(): CallInfo {
    return createCallInfo(this.id, this.#recordedUsage, this.attempts);
  }

  /** Ends the call: its client is gone, or stopped reading. `reason`: error of the listener, if it closed the request. */
  clientGone(reason?: unknown): void {
    if (!this.#settled) this.end(clientGone(reason, this.#clock.isAtDeadline, this.#waitsFor));
  }

  #startedCall(): StartedCall {
    return {
      ...this.#facts,
      id: this.id,
      requestId: this.requestId,
      method: this.method,
      operation: this.operation,
      mayCost: this.mayCost,
      protocol: this.protocol,
      peerAddress: this.peerAddress,
      startTime: this.startTime,
      trace: this.trace,
      keyId: this.#caller?.keyId ?? "",
      stream: this.#method.stream ?? this.#facts.stream,
    };
  }
}

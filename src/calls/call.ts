import { randomUUID } from "node:crypto";
import type { CallSlots } from "../accounts/concurrency.ts";
import type { Caller } from "../accounts/keys.ts";
import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallRecord, ObservedCall, Outcome } from "../ledger/record.ts";
import type { Snapshot, SnapshotLease } from "./snapshot.ts";

/** Where a call comes from, whichever listener took it. */
export interface CallSource {
  readonly requestHeader: { get(name: string): string | null };
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** `grpc`, `grpc-web`, `connect` or `http`. */
  readonly protocolName: string;
  /** What is left until the client's deadline, in milliseconds; undefined without one. */
  timeoutMs(): number | undefined;
}

/** What a call needs of the service around it. */
export interface CallEnvironment {
  readonly observers: readonly CallObserver[];
  /** Maximum duration of a call, in milliseconds. */
  readonly maxCallMs: number;
  /** Concurrent calls that an account may have at one model; 0: any number. Undefined: as the profile says. */
  readonly maxCallsPerModel: number | undefined;
  readonly slots: CallSlots;
}

/** What becomes known of a call while it runs, for its record. */
type CallFacts = Pick<CallRecord, "accountId" | "user" | "model" | "provider" | "attempts">;

/**
 * A client whose own timer ran out resets the call a moment before the deadline that this service computed from its
 * header, because the header travelled. A cancellation this close to the deadline is the deadline.
 */
const deadlineSkewMs = 50;

/**
 * One call from its headers to its record: the caller, the deadline, the signal that ends it, and exactly one record,
 * whatever becomes of it.
 *
 * The record depends on the signal and not only on the handler's end: connect-node leaves a handler suspended when a
 * client that had stopped reading goes away.
 */
export class Call implements ObservedCall {
  readonly id = `chatcmpl-${randomUUID().replaceAll("-", "")}`;
  readonly requestId: string;
  readonly method: string;
  readonly startTime = new Date();
  readonly source: CallSource;
  /** Aborts everything that the call does; its reason is a GatewayError. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #begin = performance.now();
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  readonly #environment: CallEnvironment;
  readonly #lease: SnapshotLease;
  readonly #onSettled: (call: Call) => void;
  #caller: Caller | undefined;
  #facts: CallFacts = { accountId: "", user: "", model: "", provider: "", attempts: [] };
  #usage: (error: GatewayError | undefined) => Usage | undefined = () => undefined;
  #firstOutputMs: number | undefined;
  #releaseSlot: (() => void) | undefined;
  #settled = false;

  constructor(
    source: CallSource,
    method: string,
    environment: CallEnvironment,
    lease: SnapshotLease,
    onSettled: (call: Call) => void,
  ) {
    this.source = source;
    this.method = method;
    this.#environment = environment;
    this.#lease = lease;
    this.#onSettled = onSettled;
    this.signal = this.#controller.signal;
    this.requestId = cleanRequestId(source.requestHeader.get("x-request-id")) ?? this.id;
    const timeoutMs = Math.min(source.timeoutMs() ?? Number.POSITIVE_INFINITY, environment.maxCallMs);
    this.#deadline = this.#begin + timeoutMs;
    this.#timer = setTimeout(() => this.end(deadlineExceeded()), Math.max(0, timeoutMs));
    this.#notify((observer) => observer.begin?.(this));
    if (source.signal.aborted) this.#onClientGone();
    else source.signal.addEventListener("abort", this.#onClientGone);
  }

  get protocol(): string {
    return this.source.protocolName;
  }

  get snapshot(): Snapshot {
    return this.#lease.snapshot;
  }

  /** The authenticated caller. Set by `admitCall`, without which no method runs. */
  get caller(): Caller {
    if (this.#caller === undefined) throw new Error(`${this.method} runs without access control`);
    return this.#caller;
  }

  /** Milliseconds since the call began. */
  get elapsedMs(): number {
    return performance.now() - this.#begin;
  }

  /** Milliseconds from the beginning to the first output; undefined before it. */
  get firstOutputMs(): number | undefined {
    return this.#firstOutputMs;
  }

  get attempts(): readonly Attempt[] {
    return this.#facts.attempts;
  }

  admit(caller: Caller): void {
    this.#caller = caller;
  }

  /** Adds facts to the call's record. */
  note(facts: Partial<CallFacts>): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  /** Says how to compute the usage of the record; called once, when the call settles. */
  countUsage(usage: (error: GatewayError | undefined) => Usage | undefined): void {
    this.#usage = usage;
  }

  /**
   * Takes one of the slots that the account has at the model until the call settles. `profileLimit` holds where the
   * configuration sets no limit. Throws CONCURRENCY_LIMITED when all are taken.
   */
  acquireSlot(profileLimit: number | undefined): void {
    const { maxCallsPerModel, slots } = this.#environment;
    const limit = maxCallsPerModel ?? profileLimit ?? 0;
    if (limit === 0 || this.#settled) return;
    const { accountId, model } = this.#facts;
    this.#releaseSlot = slots.take({ accountId, model, keyId: this.caller.keyId }, limit);
  }

  /** An upstream request of this call has ended. */
  attemptEnded(attempt: Attempt): void {
    this.#notify((observer) => observer.attempt?.(this, attempt));
  }

  /** Output is handed on; only the first time counts. */
  outputStarted(): void {
    if (this.#firstOutputMs !== undefined) return;
    const elapsedMs = this.elapsedMs;
    this.#firstOutputMs = elapsedMs;
    this.#notify((observer) => observer.firstOutput?.(this, elapsedMs));
  }

  /** Ends the call from outside: the deadline, the client or the service's own end. */
  end(reason: GatewayError): void {
    if (this.#settled) return;
    this.#controller.abort(reason);
    this.settle(reason);
  }

  /** Writes the record, once. Without an error the call succeeded. */
  settle(error?: GatewayError): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.source.signal.removeEventListener("abort", this.#onClientGone);
    const record = this.#record(error);
    this.#notify((observer) => observer.settled?.(record, error));
    this.#releaseSlot?.();
    this.#lease.release();
    this.#onSettled(this);
  }

  /** The client stopped reading before the end. */
  clientGone(): void {
    if (!this.#settled) this.#onClientGone();
  }

  #record(error: GatewayError | undefined): CallRecord {
    return {
      id: this.id,
      requestId: this.requestId,
      method: this.method,
      protocol: this.protocol,
      startTime: this.startTime,
      keyId: this.#caller?.keyId ?? "",
      outcome: outcomeOf(error),
      reason: error?.reason,
      usage: this.#usage(error),
      durationMs: this.elapsedMs,
      firstOutputMs: this.#firstOutputMs,
      ...this.#facts,
    };
  }

  #notify(tell: (observer: CallObserver) => void): void {
    for (const observer of this.#environment.observers) {
      try {
        tell(observer);
      } catch (error) {
        // The log may be what failed, so this goes to standard error.
        process.emitWarning(`an observer of call ${this.id} failed: ${error instanceof Error ? error.name : "error"}`);
      }
    }
  }

  readonly #onClientGone = (): void => {
    const atDeadline = performance.now() >= this.#deadline - deadlineSkewMs;
    this.end(atDeadline ? deadlineExceeded() : new GatewayError("CANCELLED", "the caller cancelled the call"));
  };
}

function deadlineExceeded(): GatewayError {
  return new GatewayError("DEADLINE_EXCEEDED", "the deadline of the call passed before the answer was complete");
}

function outcomeOf(error: GatewayError | undefined): Outcome {
  if (error === undefined) return "ok";
  if (error.reason === "CANCELLED") return "cancelled";
  if (error.reason === "DEADLINE_EXCEEDED") return "deadline";
  return "error";
}

/** Request ids go into logs and headers, so only short ones of plain characters are used. */
function cleanRequestId(given: string | null): string | undefined {
  return given !== null && /^[\w.:/+=-]{1,128}$/.test(given) ? given : undefined;
}

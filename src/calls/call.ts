import { randomUUID } from "node:crypto";
import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { CallLedger, Outcome } from "../ledger/record.ts";

/** Where a call comes from, whichever listener took it. Connect's HandlerContext is one. */
export interface CallSource {
  readonly requestHeader: { get(name: string): string | null };
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** `grpc`, `grpc-web`, `connect` or `http`. */
  readonly protocolName: string;
  /** What is left of the client's deadline, in milliseconds; undefined without one. */
  timeoutMs(): number | undefined;
}

/** What a call needs of the service around it. */
export interface CallSurroundings {
  readonly ledger: CallLedger;
  /** The longest call, in milliseconds. */
  readonly maxCallMs: number;
  /** Called with what should not have happened, for the log. */
  readonly onFault: (error: GatewayError, call: Call) => void;
}

/** What is known of a call for its record; filled in as the call goes on. */
export interface CallFacts {
  keyId: string;
  accountId: string;
  user: string;
  model: string;
  provider: string;
  attempts: readonly Attempt[];
  /** What was used up to the end that the error tells; asked once, when the record is written. */
  usage: (error: GatewayError | undefined) => Usage | undefined;
  firstOutputMs: number | undefined;
}

/**
 * A client whose own timer ran out resets the call a moment before the deadline that this service computed from its
 * header, because the header travelled. A cancellation this close to the deadline is the deadline.
 */
const deadlineSkewMs = 50;

/**
 * One call from arrival to record: its budget of time, the signal that ends it, and exactly one record, whatever
 * becomes of it.
 *
 * The record hangs on the signal and not only on the handler's end: connect-node leaves a handler suspended when a
 * client that had stopped reading goes away.
 */
export class Call {
  readonly id = `chatcmpl-${randomUUID().replaceAll("-", "")}`;
  readonly requestId: string;
  readonly startTime = new Date();
  readonly facts: CallFacts = {
    keyId: "",
    accountId: "",
    user: "",
    model: "",
    provider: "",
    attempts: [],
    usage: () => undefined,
    firstOutputMs: undefined,
  };
  /** Ends everything that the call does; its reason is a GatewayError. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #begin = performance.now();
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  readonly #source: CallSource;
  readonly #method: string;
  readonly #surroundings: CallSurroundings;
  readonly #onSettled: (call: Call) => void;
  #settled = false;

  constructor(source: CallSource, method: string, surroundings: CallSurroundings, onSettled: (call: Call) => void) {
    this.#source = source;
    this.#method = method;
    this.#surroundings = surroundings;
    this.#onSettled = onSettled;
    this.signal = this.#controller.signal;
    this.requestId = cleanRequestId(source.requestHeader.get("x-request-id")) ?? this.id;
    const budgetMs = Math.min(source.timeoutMs() ?? Number.POSITIVE_INFINITY, surroundings.maxCallMs);
    this.#deadline = this.#begin + budgetMs;
    this.#timer = setTimeout(() => this.end(deadlineExceeded()), Math.max(0, budgetMs));
    if (source.signal.aborted) this.#onClientGone();
    else source.signal.addEventListener("abort", this.#onClientGone);
  }

  /** Milliseconds since the call arrived. */
  get elapsedMs(): number {
    return performance.now() - this.#begin;
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
    this.#source.signal.removeEventListener("abort", this.#onClientGone);
    if (error?.status === "INTERNAL") this.#surroundings.onFault(error, this);
    const { usage, ...facts } = this.facts;
    this.#surroundings.ledger.write({
      id: this.id,
      requestId: this.requestId,
      method: this.#method,
      protocol: this.#source.protocolName,
      outcome: outcomeOf(error),
      reason: error?.reason,
      usage: usage(error),
      startTime: this.startTime,
      durationMs: this.elapsedMs,
      ...facts,
    });
    this.#onSettled(this);
  }

  /** The handler was left before it ended, which only happens when nobody reads its answer any more. */
  abandon(): void {
    if (!this.#settled) this.#onClientGone();
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

/** Request ids go into logs and headers, so only short ones of plain characters are taken over. */
function cleanRequestId(given: string | null): string | undefined {
  return given !== null && /^[\w.:/+=-]{1,128}$/.test(given) ? given : undefined;
}

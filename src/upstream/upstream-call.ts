import type { Secret } from "../config/secret.ts";
import { GatewayError } from "../errors.ts";
import type { Claimant } from "../fair-slots.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { TraceContext } from "../trace-context.ts";

/** Abort signal, account and record of one attempt. */
export interface AttemptContext extends Claimant {
  /**
   * Aborted if the caller cancels, the deadline passes, Dragoman shuts down, or the upstream request for another choice
   * fails. Every wait must then end. The signal's reason is a GatewayError; throw it unchanged.
   */
  readonly signal: AbortSignal;
  /** Record of this attempt. The adapter adds the status, request id and rate limits that the provider sends. */
  readonly attempt: Attempt;
  readonly queue: QueueState;
  /** API key to send. Undefined: the first key of the provider, if it has one. */
  readonly apiKey?: Secret | undefined;
  /** Span of the attempt, which a provider gets only if its configuration says so. Undefined: there is none. */
  readonly trace?: TraceContext | undefined;
  /**
   * Maximum time in ms between two outputs. The smaller of it and the provider's own timeout applies. 0 or undefined:
   * only the provider's.
   */
  readonly idleMs?: number;
  /**
   * Called once, at the first sign of output of the response: also at reasoning that the caller does not receive, and at
   * the first byte of a JSON body. Not at headers, keep-alives, errors and events without output.
   */
  readonly onOutput?: () => void;
}

/** What an attempt waits for. */
export interface QueueState {
  /**
   * What the attempt waits for in a queue, such as `a connection to openai`. Remains set if the attempt ends while it
   * waits: then nothing was sent to the provider. Undefined: it does not wait.
   */
  waitsFor: string | undefined;
}

/** One upstream HTTP request. Errors take their provider details from it. */
export interface UpstreamCall extends AttemptContext {
  /** Credentials sent upstream. Errors must not contain them, even if the provider's error text quotes them. */
  secrets: () => readonly string[];
  /**
   * Set by the adapter if an item has output that the caller does not receive, such as hidden reasoning. The item then
   * counts as output for timeouts and limits.
   */
  hadHiddenOutput: boolean;
  /** Whether the response is whole in its form: a complete JSON body, or an event that ends the stream. */
  hasEnd: boolean;
  /**
   * Code of the content filter's error that ended the response; empty if none did. Such a response is whole: the
   * choices without a finish reason end with CONTENT_FILTER (providers/kit/choice-end.ts).
   */
  filter: string;
  /** What the provider told about that error, as JSON; empty if nothing. */
  filterMetadataJson: string;
}

export function startCall(context: AttemptContext): UpstreamCall {
  const state = { hadHiddenOutput: false, hasEnd: false, filter: "", filterMetadataJson: "" };
  return { ...context, secrets: () => [], ...state };
}

/** Returns the error to throw after the signal was aborted. */
export function abortReason(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  return new GatewayError("CANCELLED", "the call was cancelled", { cause: reason });
}

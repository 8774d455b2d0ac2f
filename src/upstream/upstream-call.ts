import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";

/** Abort signal and record of one attempt. */
export interface AttemptContext {
  /**
   * Ends the attempt: the caller cancelled, the deadline passed, or Dragoman shuts down. Every wait must end when it is
   * aborted. Its reason is a GatewayError; throw it unchanged.
   */
  readonly signal: AbortSignal;
  /** Record of this attempt. The adapter adds the status, request id and rate limits that the provider sends. */
  readonly attempt: Attempt;
}

/** One upstream HTTP request. Errors take their provider details from it. */
export interface UpstreamCall extends AttemptContext {
  /** Credentials sent upstream. Errors must not contain them, even if the provider's error text quotes them. */
  secrets: () => readonly string[];
}

export function startCall(context: AttemptContext): UpstreamCall {
  return { signal: context.signal, attempt: context.attempt, secrets: () => [] };
}

/** Returns the error to throw after the signal was aborted. */
export function abortReason(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  return new GatewayError("CANCELLED", "the call was cancelled", { cause: reason });
}

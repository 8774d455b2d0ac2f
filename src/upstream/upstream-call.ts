import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";

/** What an upstream request is part of. */
export interface AttemptContext {
  /**
   * Ends the attempt: the caller went away, the deadline passed, or the service stops. Every wait hangs on it, so that
   * the upstream request is aborted at once. Its reason is a GatewayError, to be thrown as it is.
   */
  readonly signal: AbortSignal;
  /** The record of this attempt, filled in with what the provider tells of it. */
  readonly attempt: Attempt;
}

/** One attempt at a provider over HTTP: what every failure of it is described from. */
export interface UpstreamCall extends AttemptContext {
  /** What was sent to prove who asks. No error repeats it, whatever the provider quotes. */
  secrets: () => readonly string[];
}

export function startCall(context: AttemptContext): UpstreamCall {
  return { signal: context.signal, attempt: context.attempt, secrets: () => [] };
}

/** What to throw once a signal has fired. */
export function abortReason(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  return new GatewayError("CANCELLED", "the call was cancelled", { cause: reason });
}

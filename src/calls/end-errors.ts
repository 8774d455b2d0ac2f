import { GatewayError } from "../errors.ts";

/** `waitsFor`: what the call waits for in a queue. Undefined: nothing. */
export function deadlineExceeded(waitsFor: string | undefined): GatewayError {
  const when = waitsFor === undefined ? "before the response was complete" : `while it waited for ${waitsFor}`;
  return new GatewayError("DEADLINE_EXCEEDED", `the deadline of the call passed ${when}`);
}

export function requestIncomplete(maxRequestMs: number): GatewayError {
  const message = `the request was not complete after ${maxRequestMs / 1000} s; send it faster`;
  return new GatewayError("DEADLINE_EXCEEDED", message);
}

/**
 * Returns the error of a call whose client is gone.
 *
 * @param reason why: an error of the listener, which has closed the request because of overload, or anything else
 */
export function clientGone(reason: unknown, isAtDeadline: boolean, waitsFor: () => string | undefined): GatewayError {
  if (reason instanceof GatewayError && reason.reason === "OVERLOADED") return reason;
  return isAtDeadline ? deadlineExceeded(waitsFor()) : new GatewayError("CANCELLED", "the caller cancelled the call");
}

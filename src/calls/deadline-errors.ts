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

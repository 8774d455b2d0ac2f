import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallSource } from "../../calls/call.ts";
import { GatewayError } from "../../errors.ts";

/** Shared by all calls: `abort()` without a reason would create an exception with a stack trace each time. */
const clientGone = new GatewayError("CANCELLED", "the client closed the connection");

/** Returns a signal that aborts if the client disconnects before its response is complete. */
export function clientSignal(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onGone = (): void => {
    if (!response.writableFinished) gone.abort(clientGone);
  };
  response.once("close", onGone);
  // A broken connection emits `error` on the response or the request before `close`.
  response.once("error", onGone);
  request.once("error", onGone);
  return gone.signal;
}

/** Makes the call source of an HTTP request. The request sets no deadline. */
export function sourceOf(request: IncomingMessage, response: ServerResponse): CallSource {
  return {
    requestHeader: {
      get(name) {
        const value = request.headers[name.toLowerCase()];
        return (Array.isArray(value) ? value.join(", ") : value) ?? null;
      },
    },
    signal: clientSignal(request, response),
    protocolName: "http",
    timeoutMs: () => undefined,
  };
}

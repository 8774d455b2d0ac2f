import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallSource } from "../../calls/call.ts";
import { GatewayError } from "../../errors.ts";

/** Made once: an abort without a reason makes an exception with a stack for each call. */
const clientGone = new GatewayError("CANCELLED", "the client closed the connection");

/** A signal that aborts when the client is gone before its response is complete. */
export function clientSignal(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onGone = (): void => {
    if (!response.writableFinished) gone.abort(clientGone);
  };
  response.once("close", onGone);
  // A connection that breaks is an error of the one or the other before it is closed.
  response.once("error", onGone);
  request.once("error", onGone);
  return gone.signal;
}

/** A plain HTTP request as the source of a call. It has no deadline of its own. */
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

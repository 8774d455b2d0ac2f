import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallSource } from "../../calls/call-environment.ts";
import { peerAddress } from "../../calls/peer-address.ts";
import { GatewayError } from "../../errors.ts";
import { requestReplaced } from "../../load/overloaded.ts";

/** Abort reason, shared by all calls: without a reason, every abort would create an exception with a stack trace. */
const clientGone = new GatewayError("CANCELLED", "the client closed the connection");

/** Responses to requests that Dragoman has cut off. */
const cutOff = new WeakSet<ServerResponse>();

/** Cuts off a request that is not complete, because of overload. */
export function cutOffRequest(response: ServerResponse): void {
  cutOff.add(response);
  response.destroy();
}

/** Returns a signal that aborts if the client disconnects before its response is complete. */
export function clientSignal(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onGone = (): void => {
    if (response.writableFinished) return;
    gone.abort(cutOff.has(response) ? requestReplaced() : clientGone);
  };
  response.once("close", onGone);
  // If the connection breaks, the request or the response emits `error` before `close`. Abort at the first of these.
  response.once("error", onGone);
  request.once("error", onGone);
  return gone.signal;
}

/** Returns `CallSource.onGone` for the signal of one request. */
export function whenAborted(signal: AbortSignal): CallSource["onGone"] {
  return (listener) => {
    if (signal.aborted) listener(signal.reason);
    else signal.addEventListener("abort", () => listener(signal.reason));
  };
}

/**
 * Headers in seconds that the SDKs of OpenAI, Anthropic, Cerebras and others send, which one generator makes: how long
 * they wait for the response or its next byte. `x-stainless-timeout`: openai-node src/client.ts, buildHeaders.
 * `x-stainless-read-timeout`: openai-python src/openai/_base_client.py, _build_headers.
 */
const patienceHeaders = ["x-stainless-timeout", "x-stainless-read-timeout"] as const;

/** Makes the call source of an HTTP request. These APIs have no header for a deadline. */
export function sourceOf(request: IncomingMessage, response: ServerResponse): CallSource {
  const get = (name: string): string | null => {
    const value = request.headers[name.toLowerCase()];
    return (Array.isArray(value) ? value.join(", ") : value) ?? null;
  };
  return {
    requestHeader: { get },
    patienceMs() {
      const seconds = patienceHeaders.flatMap((name) => {
        const value = get(name) ?? "";
        return /^\d{1,9}(\.\d{1,9})?$/.test(value) && Number(value) > 0 ? Number(value) : [];
      });
      return seconds.length === 0 ? undefined : 1_000 * Math.min(...seconds);
    },
    onGone: whenAborted(clientSignal(request, response)),
    protocolName: "http",
    peerAddress: peerAddress(request.socket.remoteAddress),
    timeoutMs: () => undefined,
  };
}

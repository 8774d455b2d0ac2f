import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { CallSource } from "../../calls/call.ts";
import { GatewayError } from "../../errors.ts";
import { timeoutMs } from "../services/grpc-timeout.ts";

/** Made once: an abort without a reason makes an exception with a stack for each call. */
const clientGone = new GatewayError("CANCELLED", "the client reset the stream");

/** The source of a call that came as a stream of HTTP/2. */
export function sourceOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): CallSource {
  const remainingMs = timeoutMs(headers["grpc-timeout"]);
  const gone = new AbortController();
  stream.once("close", () => gone.abort(clientGone));
  return {
    requestHeader: {
      get(name) {
        const value = headers[name.toLowerCase()];
        return (Array.isArray(value) ? value.join(", ") : value) ?? null;
      },
    },
    signal: gone.signal,
    protocolName: "grpc",
    timeoutMs: () => remainingMs,
  };
}

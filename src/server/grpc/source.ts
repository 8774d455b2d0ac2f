import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { CallSource } from "../../calls/call-environment.ts";
import { peerAddress } from "../../calls/peer-address.ts";
import { GatewayError } from "../../errors.ts";
import { requestReplaced } from "../../load/overloaded.ts";
import { timeoutMs } from "../services/grpc-timeout.ts";

/** Abort reason, shared by all calls: without a reason, every abort would create an exception with a stack trace. */
const clientGone = new GatewayError("CANCELLED", "the client reset the stream");

/** Creates the call source for an HTTP/2 stream. */
export function sourceOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): CallSource {
  const remainingMs = timeoutMs(headers["grpc-timeout"]);
  return {
    requestHeader: {
      get(name) {
        const value = headers[name.toLowerCase()];
        return (Array.isArray(value) ? value.join(", ") : value) ?? null;
      },
    },
    onGone(listener) {
      const close = (): void =>
        listener(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? requestReplaced() : clientGone);
      if (stream.closed) close();
      else stream.on("close", close);
    },
    protocolName: "grpc",
    // The socket of a destroyed session throws.
    peerAddress: peerAddress(stream.session?.destroyed === false ? stream.session.socket.remoteAddress : undefined),
    timeoutMs: () => remainingMs,
  };
}

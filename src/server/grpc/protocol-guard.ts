import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { GatewayError } from "../../errors.ts";
import type { StreamListener } from "./reject-stream.ts";
import { stopRequest } from "./stop-request.ts";

/**
 * Rejects requests that are not gRPC with binary protobuf, by HTTP status. grpc-js accepts every method and every
 * content type that starts with `application/grpc`, such as gRPC-Web, and answers with bytes that the client cannot
 * read. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 *
 * @param onRejected called with each rejected request
 */
export function guardProtocol(
  next: StreamListener,
  onRejected: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, error: GatewayError) => void,
): StreamListener {
  return (stream, headers) => {
    const { ":method": method, "content-type": contentType = "" } = headers;
    const status = !/^application\/grpc(?:\+proto)?(?: *;|$)/i.test(contentType) ? 415 : method === "POST" ? 0 : 405;
    if (status === 0) {
      next(stream, headers);
      return;
    }
    onRejected(stream, headers, status === 405 ? wrongMethod() : wrongType());
    stream.respond({ ":status": status, ...(status === 405 && { allow: "POST" }) }, { endStream: true });
    stopRequest(stream);
  };
}

const wrongMethod = () => new GatewayError("METHOD_NOT_FOUND", "use POST");
const wrongType = () =>
  new GatewayError("UNSUPPORTED_ENCODING", "this is the address of gRPC; call the HTTP address for other protocols");

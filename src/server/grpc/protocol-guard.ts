import type { StreamListener } from "./reject-stream.ts";
import { stopRequest } from "./stop-request.ts";

/**
 * Rejects requests that are not gRPC with binary protobuf, by HTTP status. grpc-js accepts every method and every
 * content type that starts with `application/grpc`, such as gRPC-Web, and answers with bytes that the client cannot
 * read. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export function guardProtocol(next: StreamListener): StreamListener {
  return (stream, headers) => {
    const { ":method": method, "content-type": contentType = "" } = headers;
    const status = !/^application\/grpc(?:\+proto)?(?: *;|$)/i.test(contentType) ? 415 : method === "POST" ? 0 : 405;
    if (status === 0) {
      next(stream, headers);
      return;
    }
    stream.respond({ ":status": status, ...(status === 405 && { allow: "POST" }) }, { endStream: true });
    stopRequest(stream);
  };
}

import type { createConnectRouter } from "@connectrpc/connect";
import { GatewayError } from "../../errors.ts";

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];
type Response = Awaited<ReturnType<Handler>>;

/** Returns the error of a request whose content type (415) or HTTP method (405) Connect rejects, without a body. */
export function wrongHttp({ status, body }: Response, { method }: Handler): GatewayError | undefined {
  if (body !== undefined) return undefined;
  if (status === 405) return new GatewayError("METHOD_NOT_FOUND", "use POST");
  if (status !== 415) return undefined;
  const text =
    method.methodKind === "unary"
      ? "unsupported content-type: write content-type: application/json for JSON"
      : "unsupported content-type: a stream needs a gRPC, gRPC-Web or Connect client, such as grpcurl or buf curl; " +
        'curl can stream POST /v1/chat/completions with "stream": true';
  return new GatewayError("UNSUPPORTED_ENCODING", text);
}

/** Adds the text of an error to a response. */
export function withText(response: Response, { message }: GatewayError): Response {
  const header = new Headers(response.header);
  header.set("content-type", "text/plain; charset=utf-8");
  return { ...response, header, body: bytesOf(`${message}\n`) };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

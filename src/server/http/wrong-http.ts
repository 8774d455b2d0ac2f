import type { createConnectRouter } from "@connectrpc/connect";

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];
type Response = Awaited<ReturnType<Handler>>;

/** Adds a text to the empty responses with which Connect rejects a content type (415) and an HTTP method (405). */
export function withReason(response: Response, { method }: Handler): Response {
  if (response.body !== undefined) return response;
  const text = textOf(response.status, method.methodKind === "unary");
  if (text === undefined) return response;
  const header = new Headers(response.header);
  header.set("content-type", "text/plain; charset=utf-8");
  return { ...response, header, body: bytesOf(text) };
}

function textOf(status: number, isUnary: boolean): string | undefined {
  if (status === 405) return "use POST\n";
  if (status !== 415) return undefined;
  return isUnary
    ? "unsupported content-type: write content-type: application/json for JSON\n"
    : "unsupported content-type: a stream needs a gRPC, gRPC-Web or Connect client, such as grpcurl or buf curl; " +
        'curl can stream POST /v1/chat/completions with "stream": true\n';
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

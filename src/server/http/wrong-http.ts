import { Code, ConnectError, type createConnectRouter } from "@connectrpc/connect";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { GatewayError } from "../../errors.ts";
import { httpHeadersOf, httpStatusOf } from "../../surfaces/kit/http-status.ts";
import { wrongMethod } from "../../surfaces/kit/wrong-method.ts";
import { statusOf } from "../services/status.ts";

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];
type Request = Parameters<Handler>[0];
type Response = Awaited<ReturnType<Handler>>;

/**
 * Returns the error for a request whose HTTP method or content type the method does not have. Connect itself would
 * send an empty response.
 */
export function wrongHttp(handler: Handler, { method, header }: Request): GatewayError | undefined {
  if (!handler.allowedMethods.includes(method)) {
    const contentType = isUnary(handler) ? "application/json" : undefined;
    return wrongMethod(method, handler.requestPath, handler.allowedMethods.join(", "), contentType);
  }
  // A GET request of Connect has its message in the query.
  if (method === "GET") return undefined;
  const contentType = header.get("content-type") ?? "";
  // Connect knows the text form of gRPC-Web, but does not serve it.
  const isSupported = handler.supportedContentType(contentType) && !/^application\/grpc-web-text/i.test(contentType);
  return isSupported ? undefined : wrongType(handler, contentType);
}

function wrongType(handler: Handler, contentType: string): GatewayError {
  const problem =
    contentType === ""
      ? "the request has no content-type"
      : `${handler.method.name} does not accept ${shown(contentType)}`;
  const fix = isUnary(handler) ? unaryFix(contentType) : streamFix;
  return new GatewayError("UNSUPPORTED_ENCODING", `${problem}; ${fix}`);
}

function isUnary({ method }: Handler): boolean {
  return method.methodKind === "unary";
}

const streamFix =
  "a stream needs a gRPC, gRPC-Web or Connect client, such as grpcurl or buf curl; " +
  'curl can stream POST /v1/chat/completions with "stream": true';

function unaryFix(contentType: string): string {
  const json = "send content-type: application/json, and the request as JSON";
  if (/^application\/grpc(?!-web)/i.test(contentType)) return `native gRPC has its own address, grpc.address; ${json}`;
  if (/^application\/grpc-web-text/i.test(contentType)) return `send application/grpc-web+proto; or ${json}`;
  if (/^application\/connect\+/i.test(contentType)) return `that type is only for streams; ${json}`;
  if (/^application\/json\b.*charset/i.test(contentType)) return `JSON is always UTF-8; ${json}`;
  return json;
}

const longestType = 80;

function shown(contentType: string): string {
  return JSON.stringify(contentType.slice(0, longestType));
}

/** Makes the response to a request whose protocol is unknown: Connect's JSON form of an error, which people can read. */
export function jsonError(error: GatewayError): Response {
  const { code, message, details } = statusOf(error, { requestId: "" });
  const connectError = new ConnectError(message, code ?? Code.Unknown, undefined, [...details]);
  const body = errorToJsonBytes(connectError, undefined);
  const header = new Headers({ ...httpHeadersOf(error), "content-type": "application/json" });
  header.set("content-length", String(body.length));
  return { status: httpStatusOf(error), header, body: bytesOf(body) };
}

async function* bytesOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { StatusObject } from "@grpc/grpc-js";
import { cleanRequestId } from "../../calls/request-id.ts";
import type { GatewayError, Reason } from "../../errors.ts";
import { acceptedEncodings } from "./request-messages.ts";
import { toGrpcStatus } from "./status.ts";
import { stopRequest } from "./stop-request.ts";

/** Listener for the HTTP/2 streams of a server. */
export type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Rejects a request for which no call began. The status has the request id that the client sent, if any. */
export function rejectUnbegun(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, error: GatewayError): void {
  const requestId = cleanRequestId(headers["x-request-id"]?.toString()) ?? "";
  const trailers = requestId === "" ? [] : [["x-request-id", requestId] as const];
  sendTrailersOnly(stream, toGrpcStatus(error, { requestId }, trailers), error.reason);
}

/** Ends a stream that grpc-js has not received, with a Trailers-Only response. */
export function sendTrailersOnly(
  stream: ServerHttp2Stream,
  { code, details, metadata }: StatusObject,
  reason?: Reason,
): void {
  if (stream.destroyed) return;
  const fields = {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-accept-encoding": acceptedEncodings,
    "grpc-status": code,
    "grpc-message": encodeURI(details),
    ...metadata.toHttp2Headers(),
  };
  stream.respond(fields, { endStream: true });
  stopRequest(stream, reason);
}

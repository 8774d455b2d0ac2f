import { Code } from "@connectrpc/connect";
import { GatewayError, type Reason } from "../../errors.ts";

/** Reasons for the status codes with which grpc-js and Connect end a call before its method starts. */
const reasons: Readonly<Partial<Record<number, Reason>>> = {
  [Code.Aborted]: "CANCELLED",
  [Code.Canceled]: "CANCELLED",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "SERVICE_NOT_FOUND",
  [Code.ResourceExhausted]: "REQUEST_TOO_LARGE",
  [Code.Unimplemented]: "UNSUPPORTED_ENCODING",
};

/**
 * Connect's text for a message with the compressed flag in a request without an encoding. Its code, INTERNAL, also
 * stands for other malformed requests.
 */
const undeclaredCompression = /^received compressed envelope/;

/**
 * Texts of grpc-js and Connect for a request that has not exactly one message. The gRPC protocol requires UNIMPLEMENTED
 * for such a request: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
 */
const cardinality: readonly (readonly [text: RegExp, message: string])[] = [
  [/^Received no request message|missing input message/, "the request has no complete message; send exactly one"],
  [/^Received a second request|received extra input/, "the request has more than one message; send exactly one"],
];

/** Text of Connect for a message above the maximum size. */
const tooLarge = /^message size (\d+) is larger than configured readMaxBytes (\d+)/;

/** Texts of Connect for a request that ends within a message. */
const incomplete = /incomplete envelope|promised \d+ bytes/;

/**
 * Creates the error for a message with the compressed flag in a request that names no compression.
 * https://github.com/grpc/grpc/blob/master/doc/compression.md
 */
export function undeclaredEncoding(): GatewayError {
  return new GatewayError(
    "MALFORMED_FRAME",
    "a message has the compressed flag, but the request names no compression; send grpc-encoding: gzip",
  );
}

/**
 * Converts an error of grpc-js or Connect to a GatewayError. A code that is not in the table means a malformed request:
 * the libraries report that as INTERNAL, INVALID_ARGUMENT and others.
 */
export function libraryError(code: number, text: string): GatewayError {
  if (undeclaredCompression.test(text)) return undeclaredEncoding();
  if (incomplete.test(text)) return new GatewayError("INVALID_REQUEST", "the request ends within a message");
  const [, size, most] = tooLarge.exec(text) ?? [];
  if (size !== undefined) {
    // Without the prefix, the first letters of a JSON text are read as the length.
    const fix = "or, if its 5-byte prefix is missing, send application/json to a method without a stream";
    const message = `a message has ${size} bytes, above limits.max_request_size (${most}); send less, ${fix}`;
    return new GatewayError("REQUEST_TOO_LARGE", message);
  }
  for (const [pattern, message] of cardinality) {
    if (pattern.test(text)) return new GatewayError("INVALID_REQUEST", message, { status: "UNIMPLEMENTED" });
  }
  return new GatewayError(reasons[code] ?? "INVALID_REQUEST", text);
}

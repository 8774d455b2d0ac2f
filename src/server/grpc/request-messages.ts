import type { ServerHttp2Stream } from "node:http2";
import { unzipSync } from "node:zlib";
import { GatewayError } from "../../errors.ts";
import { flagError } from "./flags.ts";

/** Bytes before each message: the compressed flag and the length. */
const prefixBytes = 5;

/** Encodings that a request may have. */
const encodings: readonly string[] = ["identity", "deflate", "gzip"];

/** Encodings that a request may have, as `grpc-accept-encoding` lists them. */
export const acceptedEncodings = encodings.join(",");

/**
 * Reads the length-prefixed messages of a gRPC request, one at a time (backpressure), and leaves the stream open.
 * Throws REQUEST_TOO_LARGE for a message above `maxBytes`, before or after decompression, without reading it.
 */
export async function* requestMessages(
  stream: ServerHttp2Stream,
  encoding: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= prefixBytes) {
      const length = pending.readUInt32BE(1);
      if (length > maxBytes) throw tooLarge(maxBytes);
      const end = prefixBytes + length;
      if (pending.length < end) break;
      const message = pending.subarray(prefixBytes, end);
      const flags = pending[0] ?? 0;
      const error = flagError(flags, encoding);
      if (error !== undefined) throw error;
      yield flags === 0 ? message : decompress(message, encoding, maxBytes);
      pending = pending.subarray(end);
    }
  }
  if (pending.length > 0) throw new GatewayError("INVALID_REQUEST", "the request ends within a message");
}

/** Throws UNSUPPORTED_ENCODING unless `grpc-encoding` is an encoding that a request may have. */
export function requireEncoding(encoding: string | readonly string[] | undefined): void {
  if (encoding === undefined || encodings.includes(String(encoding))) return;
  throw new GatewayError("UNSUPPORTED_ENCODING", `unsupported grpc-encoding; use one of ${acceptedEncodings}`);
}

function decompress(message: Uint8Array, encoding: string, maxBytes: number): Uint8Array {
  requireEncoding(encoding);
  try {
    return unzipSync(message, { maxOutputLength: maxBytes });
  } catch (cause) {
    const isTooLarge = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
    throw isTooLarge
      ? tooLarge(maxBytes)
      : new GatewayError("INVALID_REQUEST", "a message is not valid gzip or deflate");
  }
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("REQUEST_TOO_LARGE", `a message exceeds the maximum of ${maxBytes} bytes`);
}

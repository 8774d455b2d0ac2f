import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Reason } from "../errors.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";

/** A response as connect-node makes it. */
interface Response {
  readonly status: number;
  readonly header?: Headers;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly trailer?: Headers;
}

/** Flags of the frames that end a Connect stream and a gRPC-Web answer. */
const connectEnd = 2;
const webTrailers = 128;

/**
 * Adds the ErrorInfo that every error of this service has to those that Connect raises itself, before a handler runs: a
 * body that cannot be read, or is too large. They are the whole answer, so only its first bytes are looked at.
 */
export async function withErrorInfo(response: Response): Promise<Response> {
  const { body, header, status } = response;
  if (body === undefined) return response;
  const rest = body[Symbol.asyncIterator]();
  const first = await rest.next();
  let bytes: Uint8Array | undefined = first.done ? undefined : first.value;
  if (bytes !== undefined) {
    // What is compressed is long, and so has details.
    if (status >= 400 && header?.get("content-type") === "application/json" && !header.has("content-encoding")) {
      bytes = describeJson(bytes, (error) => error);
      header.set("content-length", String(bytes.length));
    } else if (bytes[0] === connectEnd) {
      bytes = frame(
        connectEnd,
        describeJson(bytes.subarray(5), (end) => end.error),
      );
    } else if (bytes[0] === webTrailers) {
      bytes = frame(webTrailers, describeTrailers(bytes.subarray(5)));
    }
  }
  let given = false;
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    if (given || bytes === undefined) return rest.next();
    given = true;
    return Promise.resolve({ done: false, value: bytes });
  };
  const iterator: AsyncIterator<Uint8Array> = {
    next,
    ...(rest.return && { return: rest.return.bind(rest) }),
    ...(rest.throw && { throw: rest.throw.bind(rest) }),
  };
  return { ...response, body: { [Symbol.asyncIterator]: () => iterator } };
}

function describeJson(bytes: Uint8Array, errorIn: (value: JsonObject) => unknown): Uint8Array {
  const value: JsonObject = JSON.parse(new TextDecoder().decode(bytes));
  const error = errorIn(value);
  if (!isObject(error) || error.details !== undefined) return bytes;
  const info = errorInfo(error.code === "resource_exhausted");
  error.details = [{ type: ErrorInfoSchema.typeName, value: Buffer.from(info).toString("base64").replace(/=+$/, "") }];
  return new TextEncoder().encode(JSON.stringify(value));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null;
}

function describeTrailers(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const code = Number(/^grpc-status: *(\d+)/m.exec(text)?.[1] ?? 0);
  if (code === 0 || /^grpc-status-details-bin:/m.test(text)) return bytes;
  const message = decodeURIComponent(/^grpc-message: *(.*?)\r?$/m.exec(text)?.[1] ?? "");
  const detail = create(AnySchema, {
    typeUrl: `type.googleapis.com/${ErrorInfoSchema.typeName}`,
    value: errorInfo(code === 8),
  });
  const status = toBinary(StatusSchema, create(StatusSchema, { code, message, details: [detail] }));
  return new TextEncoder().encode(`${text}grpc-status-details-bin: ${Buffer.from(status).toString("base64")}\r\n`);
}

function errorInfo(tooLarge: boolean): Uint8Array {
  const reason: Reason = tooLarge ? "REQUEST_TOO_LARGE" : "INVALID_REQUEST";
  return toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "dragoman" }));
}

function frame(flags: number, data: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(5, flags);
  prefix.writeUInt32BE(data.length, 1);
  return Buffer.concat([prefix, data]);
}

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { StatusObject } from "@grpc/grpc-js";
import { type GatewayError, isLimitReason } from "../../errors.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { type FailedRequest, statusOf } from "../services/status.ts";
import { RawMetadata, toFields } from "./raw-metadata.ts";

type Headers = Iterable<readonly [name: string, value: string]>;

/** Converts an error to a grpc-js status. `trailers`: further trailers. */
export function toGrpcStatus(error: GatewayError, request: FailedRequest, trailers: Headers = []): StatusObject {
  const { code, message, details } = statusOf(error, request);
  return encode(code, message, details.map(encodeDetail), [...fitting(trailers), ...pushback(error)]);
}

/**
 * Returns the trailer that tells a gRPC client with a retry policy how long to wait, or with -1 not to retry:
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback
 */
function pushback({ reason, facts }: GatewayError): readonly (readonly [name: string, value: string])[] {
  return isLimitReason(reason) ? [["grpc-retry-pushback-ms", String(facts.retryAfterMs ?? -1)]] : [];
}

/**
 * Maximum size of the provider's rate limits in the trailers of an error, in bytes as HTTP/2 counts them. With the
 * largest message and details, the trailers then have less than 8 KiB. Providers send about 500 bytes.
 */
const mostLimitBytes = 768;

/** Leaves out rate limits that exceed `mostLimitBytes`. */
function fitting(trailers: Headers): Headers {
  let left = mostLimitBytes;
  return [...trailers].filter(([name, value]) => {
    if (!name.startsWith("x-ratelimit-")) return true;
    // HTTP/2 adds 32 bytes to each field: RFC 9113, section 6.5.2.
    left -= name.length + value.length + 32;
    return left >= 0;
  });
}

/** Converts an error that a method threw deliberately to a grpc-js status. */
export function connectStatus({ code, rawMessage, details, metadata }: ConnectError, trailers: Headers): StatusObject {
  const encoded = details.map((detail) =>
    "desc" in detail ? encodeDetail(detail) : { typeUrl: typeUrl(detail.type), value: detail.value },
  );
  return encode(code, rawMessage, encoded, [...trailers, ...metadata]);
}

/** Encoded google.protobuf.Any. */
interface EncodedDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

function encodeDetail(detail: { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> }) {
  const { desc, value } = detail;
  return { typeUrl: typeUrl(desc.typeName), value: toBinary(desc, create(desc, value)) };
}

function typeUrl(typeName: string): string {
  return `type.googleapis.com/${typeName}`;
}

/** Connect's codes have the same numbers as those of gRPC, but another TypeScript type. */
function encode(code: number, message: string, details: readonly EncodedDetail[], trailers: Headers): StatusObject {
  const status = toBinary(StatusSchema, create(StatusSchema, { code, message, details: [...details] }));
  const metadata = new RawMetadata({
    ...toFields(trailers),
    // Generated clients of every language read the typed details from this trailer.
    "grpc-status-details-bin": Buffer.from(status).toString("base64").replace(/=+$/, ""),
  });
  return { code, details: message, metadata };
}

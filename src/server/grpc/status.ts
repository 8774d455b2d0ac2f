import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import type { GatewayError } from "../../errors.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { statusOf } from "../services/status.ts";

/** Trailer with the typed details, which generated clients of every language read. */
export const detailsTrailer = "grpc-status-details-bin";

/** Converts an error to a grpc-js status. `headers`: response headers to include if none were sent before. */
export function toGrpcStatus(
  error: GatewayError,
  requestId: string,
  headers: Iterable<readonly [name: string, value: string]> = [],
): StatusObject {
  const { code, message, details } = statusOf(error, requestId);
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.set(name, value);
  const status = create(StatusSchema, {
    code,
    message,
    details: details.map(({ desc, value }) => ({
      typeUrl: `type.googleapis.com/${desc.typeName}`,
      value: toBinary(desc, create(desc, value)),
    })),
  });
  metadata.set(detailsTrailer, Buffer.from(toBinary(StatusSchema, status)));
  // Connect's codes have the same numbers as those of gRPC, but another TypeScript type.
  const number: number = code;
  return { code: number, details: message, metadata };
}

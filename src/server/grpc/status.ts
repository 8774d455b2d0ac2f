import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { Metadata } from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { toConnectError, toGatewayError } from "../services/error-details.ts";

/**
 * An error as grpc-js sends it: code, message, and the details in `grpc-status-details-bin`, where generated clients of
 * every language look for them. Connect's codes are gRPC's.
 */
export function toGrpcStatus(thrown: unknown): Error & { code: number; details: string; metadata: Metadata } {
  const error = thrown instanceof ConnectError ? thrown : toConnectError(toGatewayError(thrown), "");
  const metadata = new Metadata();
  const details = error.details.flatMap((detail) =>
    "desc" in detail
      ? [
          {
            typeUrl: `type.googleapis.com/${detail.desc.typeName}`,
            value: toBinary(detail.desc, create(detail.desc, detail.value)),
          },
        ]
      : [],
  );
  if (details.length > 0) {
    const status = create(StatusSchema, { code: error.code, message: error.rawMessage, details });
    metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, status)));
  }
  return Object.assign(new Error(error.rawMessage), { code: error.code, details: error.rawMessage, metadata });
}

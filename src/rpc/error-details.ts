import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { GatewayError, type StatusName } from "../errors.ts";
import { JsonGenerationFailureSchema, ProviderErrorSchema } from "../gen/dragoman/v1/error_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";

const codes = {
  CANCELLED: Code.Canceled,
  INVALID_ARGUMENT: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NOT_FOUND: Code.NotFound,
  PERMISSION_DENIED: Code.PermissionDenied,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  UNIMPLEMENTED: Code.Unimplemented,
  INTERNAL: Code.Internal,
  UNAVAILABLE: Code.Unavailable,
  UNAUTHENTICATED: Code.Unauthenticated,
} as const satisfies Record<StatusName, Code>;

/** gRPC servers and proxies commonly limit all trailers together to 8 KiB; base64 takes a third of that. */
const maxMessageCharacters = 1024;
const maxViolations = 16;

/** Whatever was thrown, as an error of this service. What is not one becomes INTERNAL, its text kept for the log. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError("INTERNAL", "an internal error occurred", { cause: error });
}

/** The error as both listeners send it: a status with typed details. The one place that knows Connect's codes. */
export function toConnectError(error: GatewayError, requestId: string): ConnectError {
  const { fields, retryAfterMs, quota, provider, failedGeneration, metadata } = error.facts;
  const details: { desc: DescMessage; value: MessageInitShape<DescMessage> }[] = [];
  const add = <Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>) =>
    details.push({ desc, value: create(desc, value) });
  add(ErrorInfoSchema, {
    reason: error.reason,
    domain: "dragoman",
    metadata: { ...(requestId !== "" && { request_id: requestId }), ...metadata },
  });
  if (fields) {
    add(BadRequestSchema, {
      fieldViolations: fields
        .slice(0, maxViolations)
        .map(({ field, description, rule }) => ({ field, description, reason: rule ?? "" })),
    });
  }
  if (retryAfterMs !== undefined) add(RetryInfoSchema, { retryDelay: durationFromMs(Math.ceil(retryAfterMs)) });
  if (quota) add(QuotaFailureSchema, { violations: [quota] });
  if (provider) add(ProviderErrorSchema, provider);
  if (failedGeneration !== undefined) add(JsonGenerationFailureSchema, { failedGeneration });
  const message =
    error.message.length > maxMessageCharacters ? `${error.message.slice(0, maxMessageCharacters)}…` : error.message;
  return new ConnectError(message, codes[error.status], undefined, details, error);
}

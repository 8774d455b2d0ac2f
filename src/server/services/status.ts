import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type FieldViolation, fieldText, type GatewayError, type StatusName } from "../../errors.ts";
import { JsonGenerationFailureSchema, ProviderErrorSchema } from "../../gen/dragoman/v1/error_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";

/** Connect codes, which have the numbers of gRPC codes. */
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

/**
 * Maximum sizes in UTF-8 bytes. The trailers contain the status twice: as text and, with its details, in base64. Many
 * clients reject trailers above 8 KiB and would then lose the whole error.
 */
const maxBytes = { message: 512, metadata: 256, field: 256, description: 256, violations: 3000, generation: 2000 };

/** Typed detail of a status. */
interface StatusDetail {
  readonly desc: DescMessage;
  readonly value: MessageInitShape<DescMessage>;
}

/** Status of an error, before a listener encodes it. */
interface Status {
  readonly code: Code;
  readonly message: string;
  readonly details: readonly StatusDetail[];
}

/** Converts an error to a status with code, message and typed details, truncated to sizes that clients accept. */
export function statusOf(error: GatewayError, requestId: string): Status {
  const { fields, retryAfterMs, quota, provider, failedGeneration, metadata } = error.facts;
  const details: StatusDetail[] = [];
  const add = <Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>) =>
    details.push({ desc, value: create(desc, value) });
  const facts = Object.entries({ ...(requestId !== "" && { request_id: requestId }), ...metadata });
  add(ErrorInfoSchema, {
    reason: error.reason,
    domain: "dragoman",
    metadata: Object.fromEntries(facts.map(([name, value]) => [name, cut(value, maxBytes.metadata)])),
  });
  if (fields) add(BadRequestSchema, { fieldViolations: fittingViolations(fields) });
  if (retryAfterMs !== undefined) add(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) });
  if (quota) add(QuotaFailureSchema, { violations: [quota] });
  if (provider) add(ProviderErrorSchema, { ...provider, code: cut(provider.code, maxBytes.metadata) });
  if (failedGeneration !== undefined) {
    add(JsonGenerationFailureSchema, { failedGeneration: cut(failedGeneration, maxBytes.generation) });
  }
  return { code: codes[error.status], message: cut(error.message, maxBytes.message), details };
}

/** Truncates long violations, and drops violations that exceed the maximum size of all violations. */
function fittingViolations(fields: readonly FieldViolation[]) {
  let left = maxBytes.violations;
  return fields
    .map((violation) => ({
      field: cut(fieldText(violation), maxBytes.field),
      description: cut(violation.description, maxBytes.description),
      reason: violation.rule ?? "",
    }))
    .filter(({ field, description, reason }) => {
      left -= Buffer.byteLength(field) + Buffer.byteLength(description) + reason.length;
      return left >= 0;
    });
}

/** Truncates a text to a number of UTF-8 bytes, without splitting a character. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const kept = Buffer.from(text)
    .subarray(0, bytes - Buffer.byteLength("…"))
    .toString();
  return `${kept.replace(/\uFFFD+$/, "")}…`;
}

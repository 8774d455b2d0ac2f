import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  type ErrorFacts,
  type FieldViolation,
  fieldText,
  type GatewayError,
  type Reason,
  type StatusName,
} from "../../errors.ts";
import { type CallInfo, JsonGenerationFailureSchema, ToolCallFailureSchema } from "../../gen/dragoman/v1/error_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";
import { cutBytes, cutText } from "./cut-text.ts";
import { type Details, fitDetails, listDetails, type StatusDetail } from "./fit-details.ts";

/** Connect codes, which have the numbers of gRPC codes. */
const codes = {
  CANCELLED: Code.Canceled,
  INVALID_ARGUMENT: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  PERMISSION_DENIED: Code.PermissionDenied,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  UNIMPLEMENTED: Code.Unimplemented,
  INTERNAL: Code.Internal,
  UNAVAILABLE: Code.Unavailable,
  UNAUTHENTICATED: Code.Unauthenticated,
} as const satisfies Record<StatusName, Code>;

/**
 * Maximum sizes in UTF-8 bytes, and of the message also in the bytes of `grpc-message`, which is percent-encoded. Many
 * clients reject trailers above 8 KiB and would then lose the whole error.
 */
const maxBytes = { message: 512, encodedMessage: 768, details: 4096, providerMessage: 512 };

/** The request that failed. */
export interface FailedRequest {
  /** Empty: unknown. */
  readonly requestId: string;
  /** Undefined: the request was rejected before a call began. */
  readonly info?: CallInfo;
}

/** Status of an error, before a listener encodes it. */
interface Status {
  readonly code: Code;
  readonly message: string;
  readonly details: readonly StatusDetail[];
}

/** Converts an error to a status with code, message and typed details, truncated to sizes that clients accept. */
export function statusOf(error: GatewayError, request: FailedRequest): Status {
  const details = detailsOf(error, request);
  const fitting = fitDetails(details, maxBytes.details);
  const omitted = countViolations(details) - countViolations(fitting);
  return { code: codes[error.status], message: messageOf(error, omitted), details: listDetails(fitting) };
}

function countViolations({ badRequest }: Details): number {
  return badRequest?.fieldViolations.length ?? 0;
}

function detailsOf({ reason, facts }: GatewayError, { requestId, info: callInfo }: FailedRequest): Details {
  const { fields, retryAfterMs, quota, provider: providerError, metadata } = facts;
  return {
    errorInfo: create(ErrorInfoSchema, {
      reason,
      domain: "dragoman",
      metadata: { ...(requestId !== "" && { request_id: requestId }), ...metadata },
    }),
    ...(fields && { badRequest: create(BadRequestSchema, { fieldViolations: fields.map(toViolation) }) }),
    ...(retryAfterMs !== undefined && {
      retryInfo: create(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) }),
    }),
    ...(quota && {
      quotaFailure: create(QuotaFailureSchema, {
        violations: [{ ...quota, quotaDimensions: { ...quota.quotaDimensions } }],
      }),
    }),
    ...(providerError && { providerError }),
    ...generationFailure(reason, facts),
    ...(callInfo && { callInfo }),
  };
}

function toViolation(violation: FieldViolation) {
  return { field: fieldText(violation), description: violation.description, reason: violation.rule ?? "" };
}

/** Returns the detail with the model's invalid output. */
function generationFailure(reason: Reason, { failedGeneration, providerMessage = "" }: ErrorFacts): Details {
  if (reason === "TOOL_CALL_INVALID") {
    const message = cutBytes(providerMessage, maxBytes.providerMessage);
    const init = { message, failedGeneration: failedGeneration ?? "" };
    return { toolCallFailure: create(ToolCallFailureSchema, init) };
  }
  if (failedGeneration === undefined) return {};
  return { jsonFailure: create(JsonGenerationFailureSchema, { failedGeneration }) };
}

/** Returns the message, truncated, with the number of the invalid fields that the details do not list. */
function messageOf({ message, facts }: GatewayError, omittedViolations: number): string {
  const omitted = (facts.omittedFields ?? 0) + omittedViolations;
  const cut = cutMessage(message);
  if (omitted === 0 || (omittedViolations === 0 && cut === message)) return cut;
  return cutMessage(message, `; ${omitted} more invalid ${omitted === 1 ? "field is" : "fields are"} not listed`);
}

/** Truncates a message so that it fits together with `end`. */
function cutMessage(message: string, end = ""): string {
  const step = 16;
  let bytes = maxBytes.message - end.length;
  let cut = cutText(message, bytes) + end;
  while (encodeURI(cut).length > maxBytes.encodedMessage) {
    bytes -= step;
    cut = cutText(message, bytes) + end;
  }
  return cut;
}

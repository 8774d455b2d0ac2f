import { type FieldViolation, fieldText, type GatewayError, type Reason } from "../../errors.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { SurfaceError } from "../kit/surface.ts";

/** Fields of an error object besides `message`. */
export interface ErrorKind {
  readonly type: string;
  readonly code: string;
  readonly param?: string;
}

const invalid = "invalid_request_error";

/** OpenAI's error type and code for each reason. If OpenAI has no code, it is usually the reason in lower case. */
export const kinds: Readonly<Record<Reason, ErrorKind>> = {
  INVALID_REQUEST: { type: invalid, code: "invalid_value" },
  UNSUPPORTED_PARAMETER: { type: invalid, code: "unsupported_parameter" },
  CONTEXT_LENGTH_EXCEEDED: { type: invalid, code: "context_length_exceeded", param: "messages" },
  JSON_GENERATION_FAILED: { type: invalid, code: "json_generation_failed", param: "response_format" },
  TOOL_CALL_INVALID: { type: invalid, code: "tool_use_failed" },
  MODEL_NOT_FOUND: { type: invalid, code: "model_not_found", param: "model" },
  PROVIDER_NOT_CONFIGURED: { type: invalid, code: "model_not_found", param: "model" },
  RESOURCE_NOT_FOUND: { type: invalid, code: "not_found" },
  RESOURCE_ALREADY_EXISTS: { type: invalid, code: "already_exists" },
  SERVICE_NOT_FOUND: { type: invalid, code: "not_found" },
  METHOD_NOT_FOUND: { type: invalid, code: "not_found" },
  UNSUPPORTED_ENCODING: { type: invalid, code: "unsupported_encoding" },
  MALFORMED_FRAME: { type: invalid, code: "malformed_frame" },
  REQUEST_TOO_LARGE: { type: invalid, code: "request_too_large" },
  ANSWER_TOO_LARGE: { type: invalid, code: "response_too_large" },
  CREDENTIALS_MISSING: { type: invalid, code: "invalid_api_key" },
  CREDENTIALS_INVALID: { type: invalid, code: "invalid_api_key" },
  ACCOUNT_NOT_ALLOWED: { type: "permission_error", code: "account_not_allowed" },
  MODEL_NOT_ALLOWED: { type: "permission_error", code: "model_not_allowed", param: "model" },
  ROLE_NOT_ALLOWED: { type: "permission_error", code: "role_not_allowed" },
  PROVIDER_PERMISSION_DENIED: { type: "permission_error", code: "provider_permission_denied" },
  PROVIDER_QUOTA_EXHAUSTED: { type: "insufficient_quota", code: "insufficient_quota" },
  BUDGET_EXHAUSTED: { type: "insufficient_quota", code: "budget_exhausted" },
  PROVIDER_RATE_LIMITED: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  QUEUE_FULL: { type: "rate_limit_error", code: "queue_full" },
  REQUESTS_LIMITED: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  TOKENS_LIMITED: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  CONCURRENCY_LIMITED: { type: "rate_limit_error", code: "concurrency_limited" },
  PROVIDER_UNAVAILABLE: { type: "service_unavailable_error", code: "server_is_overloaded" },
  PROVIDER_TIMEOUT: { type: "service_unavailable_error", code: "provider_timeout" },
  PROVIDER_STREAM_INTERRUPTED: { type: "service_unavailable_error", code: "provider_stream_interrupted" },
  OVERLOADED: { type: "service_unavailable_error", code: "overloaded" },
  STORE_UNAVAILABLE: { type: "service_unavailable_error", code: "store_unavailable" },
  SHUTTING_DOWN: { type: "service_unavailable_error", code: "shutting_down" },
  DEADLINE_EXCEEDED: { type: "timeout_error", code: "deadline_exceeded" },
  CANCELLED: { type: invalid, code: "cancelled" },
  PROVIDER_CREDENTIALS_REJECTED: { type: "server_error", code: "provider_credentials_rejected" },
  STORE_NOT_CONFIGURED: { type: "server_error", code: "store_not_configured" },
  PROVIDER_FAULT: { type: "server_error", code: "provider_fault" },
  INTERNAL: { type: "server_error", code: "internal_error" },
};

/** OpenAI's error codes for the rules of field violations. */
const codesOfRules: Readonly<Record<string, string>> = {
  missing: "missing_required_parameter",
  unknown_property: "unknown_parameter",
  invalid_type: "invalid_type",
};

/** Translates an error to OpenAI's error response. */
export function toOpenAiError(error: GatewayError, requestId: string): SurfaceError {
  return { status: httpStatusOf(error), body: { error: toErrorObject(error, requestId) } };
}

/** Translates an error to OpenAI's error event in a stream. */
export function toOpenAiStreamError(error: GatewayError, requestId: string): ServerSentEvent {
  return { data: { error: toErrorObject(error, requestId) } };
}

/** Returns OpenAI's error object. `param` is the first invalid field; the message names all invalid fields. */
function toErrorObject(error: GatewayError, requestId: string): object {
  const kind = kinds[error.reason];
  const [first] = error.facts.fields ?? [];
  const isInvalid = error.reason === "INVALID_REQUEST";
  return {
    message: messageOf(error, requestId),
    type: kind.type,
    param: (first && fieldText(first)) ?? error.facts.metadata?.parameter ?? kind.param ?? null,
    code: (isInvalid && codesOfRules[first?.rule ?? ""]) || (error.facts.allow ? "method_not_supported" : kind.code),
    ...failedGeneration(error),
  };
}

/** Returns the model's invalid JSON text, so that the caller can use it in a retry (Cerebras chat completions API). */
export function failedGeneration({ facts }: GatewayError): object {
  return facts.failedGeneration === undefined ? {} : { failed_generation: facts.failedGeneration };
}

/** Returns the message: all field violations, otherwise the error's text. INTERNAL adds the request ID, for the log. */
export function messageOf(error: GatewayError, requestId: string, describe = describeField, separator = "; "): string {
  const { fields } = error.facts;
  if (fields !== undefined && fields.length > 0) return fields.map(describe).join(separator);
  return error.status === "INTERNAL" ? `${error.message} (request ${requestId})` : error.message;
}

function describeField(violation: FieldViolation): string {
  return `${fieldText(violation)}: ${violation.description}`;
}

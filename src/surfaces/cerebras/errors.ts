import { type FieldViolation, fieldText, type GatewayError, type Reason } from "../../errors.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { SurfaceError } from "../kit/surface.ts";
import { type ErrorKind, failedGeneration, kinds, messageOf } from "../openai-shape/errors.ts";

export function toError(error: GatewayError, requestId: string): SurfaceError {
  return { status: httpStatusOf(error), body: toFlatError(error, requestId) };
}

export function toStreamError(error: GatewayError, requestId: string): ServerSentEvent {
  return { data: { error: { ...toFlatError(error, requestId), id: requestId }, status_code: httpStatusOf(error) } };
}

const limited = "too_many_requests_error";

/** Cerebras' error type, param and code, as found in reports of its users. Reasons not listed have OpenAI's. */
const ownKinds: Readonly<Partial<Record<Reason, ErrorKind>>> = {
  INVALID_REQUEST: { type: "invalid_request_error", param: "validation_error", code: "wrong_api_format" },
  UNSUPPORTED_PARAMETER: { type: "invalid_request_error", code: "wrong_api_format" },
  MODEL_NOT_FOUND: { type: "not_found_error", param: "model", code: "model_not_found" },
  PROVIDER_NOT_CONFIGURED: { type: "not_found_error", param: "model", code: "model_not_found" },
  CREDENTIALS_MISSING: { type: "invalid_request_error", param: "api_key", code: "wrong_api_key" },
  CREDENTIALS_INVALID: { type: "invalid_request_error", param: "api_key", code: "wrong_api_key" },
  PROVIDER_QUOTA_EXHAUSTED: { type: "payment_required_error", param: "quota", code: "payment_required" },
  PROVIDER_RATE_LIMITED: { type: limited, param: "quota", code: "request_quota_exceeded" },
  REQUESTS_LIMITED: { type: limited, param: "quota", code: "request_quota_exceeded" },
  TOKENS_LIMITED: { type: limited, param: "quota", code: "token_quota_exceeded" },
  QUEUE_FULL: { type: limited, param: "queue", code: "queue_exceeded" },
  CONCURRENCY_LIMITED: { type: limited, param: "quota", code: "request_quota_exceeded" },
};

/** Returns Cerebras' error object, whose fields are at the top level of the body. */
function toFlatError(error: GatewayError, requestId: string): object {
  const { fields: [first] = [], metadata, provider } = error.facts;
  const kind = ownKinds[error.reason] ?? kinds[error.reason];
  // Keep the code that Cerebras sent: it names the exceeded rate limit.
  const code = error.reason === "PROVIDER_RATE_LIMITED" && provider?.provider === "cerebras" ? provider.code : "";
  return {
    message: messageOf(error, requestId, describeField, "\n"),
    type: kind.type,
    param: kind.param ?? (first && fieldText(first)) ?? metadata?.parameter ?? null,
    code: code || kind.code,
    ...failedGeneration(error),
  };
}

function describeField(violation: FieldViolation): string {
  const text = fieldText(violation);
  if (violation.rule !== "unknown_property") return `${text}: ${violation.description}`;
  const path = violation.field.length > 1 ? text : `body.${text}`;
  // The API's own text has no hint.
  const [, hint] = /; (.*)$/s.exec(violation.description) ?? [];
  return `${path}: property '${path}' is unsupported${hint === undefined ? "" : `; ${hint}`}`;
}

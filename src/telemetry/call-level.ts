import type { Reason } from "../errors.ts";

/** Level of the line of a call. */
export type CallLevel = "info" | "warn" | "error";

/**
 * Levels by the reason of the error. `info`: the caller made a mistake, reached a limit or ended the call. `warn`: a
 * provider failed, or this service could not take the call now. `error`: this service has a fault.
 */
const levels: Readonly<Record<Reason, CallLevel>> = {
  INVALID_REQUEST: "info",
  UNSUPPORTED_PARAMETER: "info",
  CONTEXT_LENGTH_EXCEEDED: "info",
  JSON_GENERATION_FAILED: "info",
  TOOL_CALL_INVALID: "info",
  MODEL_NOT_FOUND: "info",
  SERVICE_NOT_FOUND: "info",
  RESOURCE_NOT_FOUND: "info",
  METHOD_NOT_FOUND: "info",
  RESOURCE_ALREADY_EXISTS: "info",
  UNSUPPORTED_ENCODING: "info",
  CREDENTIALS_MISSING: "info",
  CREDENTIALS_INVALID: "info",
  ACCOUNT_NOT_ALLOWED: "info",
  MODEL_NOT_ALLOWED: "info",
  ROLE_NOT_ALLOWED: "info",
  PROVIDER_PERMISSION_DENIED: "warn",
  PROVIDER_NOT_CONFIGURED: "info",
  PROVIDER_CREDENTIALS_REJECTED: "warn",
  PROVIDER_QUOTA_EXHAUSTED: "warn",
  STORE_NOT_CONFIGURED: "info",
  PROVIDER_RATE_LIMITED: "warn",
  QUEUE_FULL: "warn",
  REQUESTS_LIMITED: "info",
  TOKENS_LIMITED: "info",
  CONCURRENCY_LIMITED: "info",
  BUDGET_EXHAUSTED: "info",
  REQUEST_TOO_LARGE: "info",
  ANSWER_TOO_LARGE: "info",
  PROVIDER_UNAVAILABLE: "warn",
  PROVIDER_TIMEOUT: "warn",
  PROVIDER_STREAM_INTERRUPTED: "warn",
  OVERLOADED: "warn",
  STORE_UNAVAILABLE: "warn",
  SHUTTING_DOWN: "warn",
  DEADLINE_EXCEEDED: "info",
  CANCELLED: "info",
  MALFORMED_FRAME: "info",
  PROVIDER_FAULT: "warn",
  INTERNAL: "error",
};

/** Returns the level of a call's line. `reason`: undefined if the call succeeded. */
export function levelOf(reason: Reason | undefined): CallLevel {
  return reason === undefined ? "info" : levels[reason];
}

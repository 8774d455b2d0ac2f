import type { GatewayError, Reason } from "../../errors.ts";
import { messageOf } from "../kit/error-message.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { SurfaceError } from "../kit/surface.ts";

/** Anthropic's error types: https://platform.claude.com/docs/en/api/errors */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "timeout_error"
  | "api_error"
  | "overloaded_error";

interface ErrorKind {
  readonly type: ErrorType;
  /** Default: the status of all APIs (`errors.ts`). */
  readonly status?: number;
}

const invalid: ErrorKind = { type: "invalid_request_error" };
const authentication: ErrorKind = { type: "authentication_error" };
const billing: ErrorKind = { type: "billing_error" };
const permission: ErrorKind = { type: "permission_error" };
const notFound: ErrorKind = { type: "not_found_error" };
const limited: ErrorKind = { type: "rate_limit_error" };
const timeout: ErrorKind = { type: "timeout_error", status: 504 };
const failed: ErrorKind = { type: "api_error" };
const overloaded: ErrorKind = { type: "overloaded_error", status: 529 };

/** Anthropic's error type and status for each reason. */
export const kinds: Readonly<Record<Reason, ErrorKind>> = {
  INVALID_REQUEST: invalid,
  UNSUPPORTED_PARAMETER: invalid,
  CONTEXT_LENGTH_EXCEEDED: invalid,
  JSON_GENERATION_FAILED: invalid,
  TOOL_CALL_INVALID: invalid,
  MODEL_NOT_FOUND: notFound,
  PROVIDER_NOT_CONFIGURED: notFound,
  RESOURCE_NOT_FOUND: notFound,
  RESOURCE_ALREADY_EXISTS: invalid,
  SERVICE_NOT_FOUND: notFound,
  METHOD_NOT_FOUND: notFound,
  UNSUPPORTED_ENCODING: invalid,
  MALFORMED_FRAME: invalid,
  REQUEST_TOO_LARGE: { type: "request_too_large" },
  ANSWER_TOO_LARGE: invalid,
  CREDENTIALS_MISSING: authentication,
  CREDENTIALS_INVALID: authentication,
  ACCOUNT_NOT_ALLOWED: permission,
  MODEL_NOT_ALLOWED: permission,
  ROLE_NOT_ALLOWED: permission,
  PROVIDER_PERMISSION_DENIED: permission,
  PROVIDER_QUOTA_EXHAUSTED: billing,
  BUDGET_EXHAUSTED: billing,
  PROVIDER_RATE_LIMITED: limited,
  QUEUE_FULL: limited,
  REQUESTS_LIMITED: limited,
  TOKENS_LIMITED: limited,
  CONCURRENCY_LIMITED: limited,
  PROVIDER_UNAVAILABLE: overloaded,
  PROVIDER_TIMEOUT: timeout,
  PROVIDER_STREAM_INTERRUPTED: failed,
  OVERLOADED: overloaded,
  STORE_UNAVAILABLE: failed,
  SHUTTING_DOWN: overloaded,
  DEADLINE_EXCEEDED: timeout,
  CANCELLED: invalid,
  PROVIDER_CREDENTIALS_REJECTED: failed,
  STORE_NOT_CONFIGURED: failed,
  PROVIDER_FAULT: failed,
  INTERNAL: failed,
};

/** Header of Anthropic's API for what other APIs call `x-request-id`. */
export const requestIdHeader = "request-id";

/** Translates an error to Anthropic's error response. */
export function toMessagesError(error: GatewayError, requestId: string): SurfaceError {
  return { status: kinds[error.reason].status ?? httpStatusOf(error), body: toErrorBody(error, requestId) };
}

/** Translates an error to the event that ends a stream. */
export function toMessagesStreamError(error: GatewayError, requestId: string): ServerSentEvent {
  return { event: "error", data: toErrorBody(error, requestId) };
}

function toErrorBody(error: GatewayError, requestId: string): object {
  const { type } = kinds[error.reason];
  const details = { type, message: textOf(error, requestId), ...threadDetails(error) };
  return { type: "error", error: details, request_id: requestId || null };
}

/**
 * Returns the code by which Anthropic's SDK recognizes a server without threads, so that its tool runner sends all
 * messages instead. https://github.com/anthropics/anthropic-sdk-typescript, ThreadState.ts
 */
function threadDetails({ facts }: GatewayError): object {
  const isRejected = facts.fields?.some(({ root, field }) => root === "body" && field[0] === "thread") ?? false;
  return isRejected ? { details: { error_code: "thread_unsupported_request" } } : {};
}

/**
 * Returns the message. Clients such as Claude Code recognize a prompt that is too long by Anthropic's words, and shorten
 * the conversation.
 */
function textOf(error: GatewayError, requestId: string): string {
  if (error.reason !== "CONTEXT_LENGTH_EXCEEDED") return messageOf(error, requestId);
  const { input_tokens: input, context_window_tokens: window } = error.facts.metadata ?? {};
  const isTooLong = input !== undefined && window !== undefined && Number(input) > Number(window);
  return `prompt is too long: ${isTooLong ? `${input} tokens > ${window} maximum` : error.message}`;
}

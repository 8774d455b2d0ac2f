import type { ProviderError } from "./gen/dragoman/v1/error_pb.js";

/** Names of the gRPC status codes that this service answers with. */
export type StatusName =
  | "CANCELLED"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "UNAUTHENTICATED";

/**
 * Every reason that an error can have, and the status that it is sent with. Reasons are part of the contract: they go
 * out in `google.rpc.ErrorInfo.reason` under the domain `dragoman`.
 */
export const reasons = {
  INVALID_REQUEST: "INVALID_ARGUMENT",
  UNSUPPORTED_PARAMETER: "INVALID_ARGUMENT",
  CONTEXT_LENGTH_EXCEEDED: "INVALID_ARGUMENT",
  JSON_GENERATION_FAILED: "INVALID_ARGUMENT",
  MODEL_NOT_FOUND: "NOT_FOUND",
  SERVICE_NOT_FOUND: "NOT_FOUND",
  METHOD_NOT_FOUND: "UNIMPLEMENTED",
  UNSUPPORTED_ENCODING: "UNIMPLEMENTED",
  CREDENTIALS_MISSING: "UNAUTHENTICATED",
  CREDENTIALS_INVALID: "UNAUTHENTICATED",
  ACCOUNT_NOT_ALLOWED: "PERMISSION_DENIED",
  PROVIDER_PERMISSION_DENIED: "PERMISSION_DENIED",
  PROVIDER_CREDENTIALS_REJECTED: "FAILED_PRECONDITION",
  PROVIDER_QUOTA_EXHAUSTED: "FAILED_PRECONDITION",
  PROVIDER_RATE_LIMITED: "RESOURCE_EXHAUSTED",
  QUEUE_FULL: "RESOURCE_EXHAUSTED",
  CONCURRENCY_LIMITED: "RESOURCE_EXHAUSTED",
  REQUEST_TOO_LARGE: "RESOURCE_EXHAUSTED",
  PROVIDER_UNAVAILABLE: "UNAVAILABLE",
  PROVIDER_TIMEOUT: "UNAVAILABLE",
  PROVIDER_STREAM_INTERRUPTED: "UNAVAILABLE",
  SHUTTING_DOWN: "UNAVAILABLE",
  DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
  CANCELLED: "CANCELLED",
  PROVIDER_FAULT: "INTERNAL",
  INTERNAL: "INTERNAL",
} as const satisfies Record<string, StatusName>;

export type Reason = keyof typeof reasons;

/** One field of a request that is wrong. */
export interface FieldViolation {
  /** Path from the request message, such as `chat.messages[0].role`. */
  readonly field: string;
  /** What is wrong and what to do. Never the value itself when it may be prompt text. */
  readonly description: string;
  /** The rule that was broken, such as `string.min_len`. */
  readonly rule?: string;
}

export interface ErrorFacts {
  /** Goes out in `ErrorInfo.metadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Goes out as `google.rpc.BadRequest`. */
  readonly fields?: readonly FieldViolation[];
  /** Goes out as `google.rpc.RetryInfo`: waiting this long may help. */
  readonly retryAfterMs?: number;
  /** Goes out as `google.rpc.QuotaFailure`: the subject and what is used up. */
  readonly quota?: { readonly subject: string; readonly description: string };
  /** Goes out as it is. */
  readonly provider?: ProviderError;
  /** Goes out as `dragoman.v1.JsonGenerationFailure`. */
  readonly failedGeneration?: string;
  /** Stays here, for the log. */
  readonly cause?: unknown;
}

/**
 * The only error that reaches callers. `message` goes to the caller, so it holds no secret and no prompt text. Lone
 * halves of surrogate pairs in the message and the facts become U+FFFD: no encoder of a status accepts them.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly reason: Reason;
  readonly facts: ErrorFacts;

  constructor(reason: Reason, message: string, facts: ErrorFacts = {}) {
    super(message.toWellFormed(), "cause" in facts ? { cause: facts.cause } : undefined);
    this.reason = reason;
    const { cause: _, ...sent } = facts;
    this.facts = "cause" in facts ? { ...wellFormed(sent), cause: facts.cause } : wellFormed(sent);
  }

  get status(): StatusName {
    return reasons[this.reason];
  }
}

/** A copy of a value in which every text, names of properties included, is well-formed UTF-16. */
function wellFormed<Value>(value: Value): Value;
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map((item) => wellFormed(item));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.toWellFormed(), wellFormed(item)]));
}

/** Wrong fields that an error names: a request of 16 MiB can have millions. */
export const mostViolations = 100;

/** Characters of a field's path, which may have keys of the caller's in it. */
const longestField = 256;

/** A request with wrong fields; all of them are reported together, up to `mostViolations`. */
export function invalidRequest(fields: readonly FieldViolation[]): GatewayError {
  const told = fields.slice(0, mostViolations).map((violation) => ({ ...violation, field: cut(violation.field) }));
  const list = told.map((violation) => `${violation.field}: ${violation.description}`).join("; ");
  const rest = fields.length > told.length ? `; and ${fields.length - told.length} more` : "";
  return new GatewayError("INVALID_REQUEST", `invalid request: ${list}${rest}`, { fields: told });
}

function cut(field: string): string {
  return field.length <= longestField ? field : `${field.slice(0, longestField - 1).toWellFormed()}…`;
}

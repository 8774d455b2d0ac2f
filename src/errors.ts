import { cutPath, type FieldPath, formatDotted, formatPath } from "./field-path.ts";
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

/** What follows from the reason of an error. */
interface ReasonRow {
  /** The gRPC status. */
  readonly status: StatusName;
  /** The status on the HTTP APIs. SDKs raise a class of error by it, and retry 408, 409, 429 and from 500 on. */
  readonly http: number;
  /** Whether the same request can succeed later, or at another provider, without a change by the caller. */
  readonly retryable: boolean;
}

/**
 * Every reason that an error can have. Reasons are part of the contract: they are sent in `google.rpc.ErrorInfo.reason`
 * under the domain `dragoman`.
 */
export const reasons = {
  INVALID_REQUEST: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  UNSUPPORTED_PARAMETER: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  CONTEXT_LENGTH_EXCEEDED: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  JSON_GENERATION_FAILED: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  MODEL_NOT_FOUND: { status: "NOT_FOUND", http: 404, retryable: false },
  SERVICE_NOT_FOUND: { status: "NOT_FOUND", http: 404, retryable: false },
  METHOD_NOT_FOUND: { status: "UNIMPLEMENTED", http: 404, retryable: false },
  UNSUPPORTED_ENCODING: { status: "UNIMPLEMENTED", http: 415, retryable: false },
  CREDENTIALS_MISSING: { status: "UNAUTHENTICATED", http: 401, retryable: false },
  CREDENTIALS_INVALID: { status: "UNAUTHENTICATED", http: 401, retryable: false },
  ACCOUNT_NOT_ALLOWED: { status: "PERMISSION_DENIED", http: 403, retryable: false },
  PROVIDER_PERMISSION_DENIED: { status: "PERMISSION_DENIED", http: 403, retryable: false },
  // Not 401 or 403: the caller's key is good, this service's is not. Not 503: waiting does not help.
  PROVIDER_CREDENTIALS_REJECTED: { status: "FAILED_PRECONDITION", http: 500, retryable: false },
  // Somebody has to pay. Waiting does not help, and clients do not retry 402.
  PROVIDER_QUOTA_EXHAUSTED: { status: "FAILED_PRECONDITION", http: 402, retryable: false },
  PROVIDER_RATE_LIMITED: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  QUEUE_FULL: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  CONCURRENCY_LIMITED: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  REQUEST_TOO_LARGE: { status: "RESOURCE_EXHAUSTED", http: 413, retryable: false },
  PROVIDER_UNAVAILABLE: { status: "UNAVAILABLE", http: 503, retryable: true },
  PROVIDER_TIMEOUT: { status: "UNAVAILABLE", http: 503, retryable: true },
  PROVIDER_STREAM_INTERRUPTED: { status: "UNAVAILABLE", http: 503, retryable: true },
  SHUTTING_DOWN: { status: "UNAVAILABLE", http: 503, retryable: true },
  DEADLINE_EXCEEDED: { status: "DEADLINE_EXCEEDED", http: 408, retryable: false },
  // No client is left to read the status; 499 is what nginx logs.
  CANCELLED: { status: "CANCELLED", http: 499, retryable: false },
  PROVIDER_FAULT: { status: "INTERNAL", http: 500, retryable: false },
  INTERNAL: { status: "INTERNAL", http: 500, retryable: false },
} as const satisfies Record<string, ReasonRow>;

export type Reason = keyof typeof reasons;

/** One field of a request that is wrong. */
export interface FieldViolation {
  /** Path from the ChatRequest, unless `root` says otherwise. */
  readonly field: FieldPath;
  /** Where the path begins instead: `message`, a request without a ChatRequest; `body`, the JSON body of an HTTP API. */
  readonly root?: "message" | "body";
  /** What is wrong and what to do. Never the value itself when it may be prompt text. */
  readonly description: string;
  /** The rule that was broken, such as `string.min_len`. */
  readonly rule?: string;
}

/** Adds a violation of a field to those of a request. */
export type ReportViolation = (field: FieldPath, description: string) => void;

/** The field of a violation as the caller knows it: `chat.messages[0].role`, or `messages.0.role` in a JSON body. */
export function fieldText({ field, root }: Pick<FieldViolation, "field" | "root">): string {
  switch (root) {
    case undefined:
      return formatPath(["chat", ...field]);
    case "message":
      return formatPath(field);
    case "body":
      return field.length === 0 ? root : formatDotted(field);
    default:
      return root satisfies never;
  }
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
  /**
   * Of a failure inside an answer that the provider had begun: the message that it has once output was handed on, when it
   * becomes PROVIDER_STREAM_INTERRUPTED (routing/attempt-failure.ts). Stays here.
   */
  readonly interruption?: string;
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
    return reasons[this.reason].status;
  }

  /** A copy with other facts beside its own, and with another message where one is given. */
  with(facts: ErrorFacts, message = this.message): GatewayError {
    return new GatewayError(this.reason, message, { cause: this.cause, ...this.facts, ...facts });
  }
}

/** Whatever was thrown, as an error of this service. What is none becomes INTERNAL, with what was thrown as its cause. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError("INTERNAL", "an internal error occurred", { cause: thrown });
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
export function invalidRequest(violations: readonly FieldViolation[]): GatewayError {
  const fields = violations
    .slice(0, mostViolations)
    .map((violation) => ({ ...violation, field: cutPath(violation.field, longestField) }));
  const list = fields.map((violation) => `${fieldText(violation)}: ${violation.description}`).join("; ");
  const rest = violations.length > fields.length ? `; and ${violations.length - fields.length} more` : "";
  return new GatewayError("INVALID_REQUEST", `invalid request: ${list}${rest}`, { fields });
}

import { cutPath, type FieldPath, formatDotted, formatPath } from "./field-path.ts";
import type { ProviderError } from "./gen/dragoman/v1/error_pb.js";
import { wellFormed } from "./well-formed.ts";

/** Names of the gRPC status codes that Dragoman returns. */
export type StatusName =
  | "CANCELLED"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "UNAUTHENTICATED";

/** Properties of an error reason. */
interface ReasonRow {
  readonly status: StatusName;
  /** Status on the HTTP APIs. SDKs derive the error class from it, and retry 408, 409, 429 and 500 or above. */
  readonly http: number;
  /** Whether the unchanged request can succeed later or at another provider. */
  readonly retryable: boolean;
}

/**
 * All error reasons. They are part of the public API: Dragoman sends them in `google.rpc.ErrorInfo.reason` with the
 * domain `dragoman`.
 */
export const reasons = {
  INVALID_REQUEST: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  UNSUPPORTED_PARAMETER: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  CONTEXT_LENGTH_EXCEEDED: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  JSON_GENERATION_FAILED: { status: "INVALID_ARGUMENT", http: 400, retryable: false },
  // The provider rejected the model's own output. Groq, which reports it most, also sends 400.
  TOOL_CALL_INVALID: { status: "ABORTED", http: 400, retryable: false },
  MODEL_NOT_FOUND: { status: "NOT_FOUND", http: 404, retryable: false },
  SERVICE_NOT_FOUND: { status: "NOT_FOUND", http: 404, retryable: false },
  RESOURCE_NOT_FOUND: { status: "NOT_FOUND", http: 404, retryable: false },
  METHOD_NOT_FOUND: { status: "UNIMPLEMENTED", http: 404, retryable: false },
  RESOURCE_ALREADY_EXISTS: { status: "ALREADY_EXISTS", http: 409, retryable: false },
  UNSUPPORTED_ENCODING: { status: "UNIMPLEMENTED", http: 415, retryable: false },
  CREDENTIALS_MISSING: { status: "UNAUTHENTICATED", http: 401, retryable: false },
  CREDENTIALS_INVALID: { status: "UNAUTHENTICATED", http: 401, retryable: false },
  ACCOUNT_NOT_ALLOWED: { status: "PERMISSION_DENIED", http: 403, retryable: false },
  MODEL_NOT_ALLOWED: { status: "PERMISSION_DENIED", http: 403, retryable: false },
  ROLE_NOT_ALLOWED: { status: "PERMISSION_DENIED", http: 403, retryable: false },
  PROVIDER_PERMISSION_DENIED: { status: "PERMISSION_DENIED", http: 403, retryable: false },
  // To the caller of an HTTP API, the model does not exist. SDKs do not retry 404.
  PROVIDER_NOT_CONFIGURED: { status: "FAILED_PRECONDITION", http: 404, retryable: false },
  // Not 401 or 403: the caller's API key is valid, the operator's provider key is not. Not 503: waiting does not help.
  PROVIDER_CREDENTIALS_REJECTED: { status: "FAILED_PRECONDITION", http: 500, retryable: false },
  // The operator must pay the provider or raise the quota. Waiting does not help, and clients do not retry 402.
  PROVIDER_QUOTA_EXHAUSTED: { status: "FAILED_PRECONDITION", http: 402, retryable: false },
  // The operator must configure `store.database`. Waiting does not help.
  STORE_NOT_CONFIGURED: { status: "FAILED_PRECONDITION", http: 501, retryable: false },
  PROVIDER_RATE_LIMITED: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  QUEUE_FULL: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  REQUESTS_LIMITED: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  TOKENS_LIMITED: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  CONCURRENCY_LIMITED: { status: "RESOURCE_EXHAUSTED", http: 429, retryable: true },
  // A budget lasts up to a month. Clients do not retry 402.
  BUDGET_EXHAUSTED: { status: "RESOURCE_EXHAUSTED", http: 402, retryable: false },
  REQUEST_TOO_LARGE: { status: "RESOURCE_EXHAUSTED", http: 413, retryable: false },
  // Below 500, so that SDKs do not retry: the same request usually gets as large a response.
  ANSWER_TOO_LARGE: { status: "RESOURCE_EXHAUSTED", http: 413, retryable: false },
  PROVIDER_UNAVAILABLE: { status: "UNAVAILABLE", http: 503, retryable: true },
  PROVIDER_TIMEOUT: { status: "UNAVAILABLE", http: 503, retryable: true },
  PROVIDER_STREAM_INTERRUPTED: { status: "UNAVAILABLE", http: 503, retryable: true },
  OVERLOADED: { status: "UNAVAILABLE", http: 503, retryable: true },
  STORE_UNAVAILABLE: { status: "UNAVAILABLE", http: 503, retryable: true },
  SHUTTING_DOWN: { status: "UNAVAILABLE", http: 503, retryable: true },
  DEADLINE_EXCEEDED: { status: "DEADLINE_EXCEEDED", http: 408, retryable: false },
  // The client has disconnected and cannot read the status; 499 is what nginx logs.
  CANCELLED: { status: "CANCELLED", http: 499, retryable: false },
  // The caller's fault, but the gRPC protocol requires INTERNAL for it.
  MALFORMED_FRAME: { status: "INTERNAL", http: 400, retryable: false },
  PROVIDER_FAULT: { status: "INTERNAL", http: 500, retryable: false },
  INTERNAL: { status: "INTERNAL", http: 500, retryable: false },
} as const satisfies Record<string, ReasonRow>;

export type Reason = keyof typeof reasons;

/** One invalid field of a request. */
export interface FieldViolation {
  /** Path from the ChatRequest, or from `root` if it is set. */
  readonly field: FieldPath;
  /**
   * Start of the path if it is not the ChatRequest. `message`: the gRPC request, for fields outside its ChatRequest.
   * `body`: the JSON body of an HTTP API.
   */
  readonly root?: "message" | "body";
  /**
   * What is wrong and what to write instead. Contains a value that may be prompt text only if a provider's own words
   * contain it.
   */
  readonly description: string;
  /** Id of the violated validation rule, such as `string.min_len`. */
  readonly rule?: string;
}

/** Reports an invalid field of a request. */
export type ReportViolation = (field: FieldPath, description: string) => void;

/** Formats the field of a violation for the caller: `chat.messages[0].role`, or `messages.0.role` in a JSON body. */
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

const limitReasons: ReadonlySet<Reason> = new Set([
  "REQUESTS_LIMITED",
  "TOKENS_LIMITED",
  "CONCURRENCY_LIMITED",
  "BUDGET_EXHAUSTED",
]);

/** Whether a reason is that of a limit or a budget of an account. Without `retryAfterMs`, a retry is useless. */
export function isLimitReason(reason: Reason): boolean {
  return limitReasons.has(reason);
}

/** Field that a provider rejected, in the provider's own words. */
export interface RejectedField {
  /** Path of the field in the upstream body, in any notation: `messages[0].name`, `tools.0.name`. */
  readonly path: string;
  /** The provider's code for what is wrong with the field. Empty if it sends none. */
  readonly code: string;
  /** Whether the code says that the API does not know the field, whatever its value. */
  readonly isUnknown: boolean;
}

/** An exceeded limit, as `google.rpc.QuotaFailure.Violation` has it. */
export interface Quota {
  readonly subject: string;
  readonly description: string;
  readonly apiService?: string;
  readonly quotaMetric?: string;
  readonly quotaId?: string;
  readonly quotaDimensions?: Readonly<Record<string, string>>;
  readonly quotaValue?: bigint;
}

export interface ErrorFacts {
  /** Sent in `ErrorInfo.metadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Sent as `google.rpc.BadRequest`. */
  readonly fields?: readonly FieldViolation[];
  /** Number of invalid fields that `fields` does not have, because there are more than `mostViolations`. */
  readonly omittedFields?: number;
  /**
   * Sent as `google.rpc.RetryInfo`: delay in milliseconds after which a retry may succeed. GatewayError limits it to a
   * day, because providers send any number.
   */
  readonly retryAfterMs?: number;
  /**
   * False: a further attempt at the same target fails in the same way. Its configuration must change first, such as an
   * expired certificate or a name without address, or its response exceeds a bound. Unset: a further attempt may
   * succeed. Never sent.
   */
  readonly retryHere?: false;
  /** Sent as `google.rpc.QuotaFailure`: the subject and the exceeded limit. */
  readonly quota?: Quota;
  /** Sent as `dragoman.v1.ProviderError`. */
  readonly provider?: ProviderError;
  /** The model's invalid output. Sent in `dragoman.v1.JsonGenerationFailure` or `ToolCallFailure`. */
  readonly failedGeneration?: string;
  /** The provider's words, without secrets. Sent in `dragoman.v1.ToolCallFailure` alone, and logged for any reason. */
  readonly providerMessage?: string;
  /**
   * Message of the PROVIDER_STREAM_INTERRUPTED error that replaces this error if the response already had output
   * (routing/attempt-failure.ts). Never sent with this error.
   */
  readonly interruption?: string;
  /**
   * What the provider reported in the middle of its response, for a PROVIDER_STREAM_INTERRUPTED error that replaces it.
   * Routing goes by it. Never sent.
   */
  readonly brokenBy?: { readonly reason: Reason; readonly retryAfterMs?: number };
  /**
   * The provider's word for its content filter, which blocked the prompt or the output. Routing turns the error into a
   * response with the finish reason CONTENT_FILTER (routing/settle-end.ts).
   */
  readonly contentFilter?: string;
  /** What the provider tells about its content filter, as JSON: the metadata of the choice that it ended. */
  readonly filterMetadataJson?: string;
  /** HTTP methods that the path of the request has, such as `GET, HEAD`. The HTTP status is then 405. */
  readonly allow?: string;
  /** Fields of the upstream body that the provider names as the cause. Never sent. */
  readonly rejectedFields?: readonly RejectedField[];
  /** Replaces the status of the reason, where a protocol requires another one. */
  readonly status?: StatusName;
  /** Logged, never sent. */
  readonly cause?: unknown;
}

/** Maximum of `retryAfterMs`, in milliseconds: one day. */
const longestRetryMs = 24 * 60 * 60 * 1000;

/**
 * The only error class that reaches callers. `message` is sent to the caller, so it must contain no secret and no
 * prompt text. Lone surrogates in the message and the facts become U+FFFD, because status encoders reject them.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly reason: Reason;
  readonly facts: ErrorFacts;

  constructor(reason: Reason, message: string, facts: ErrorFacts = {}) {
    super(message.toWellFormed(), "cause" in facts ? { cause: facts.cause } : undefined);
    this.reason = reason;
    const { cause: _, ...given } = facts;
    const sent = given.retryAfterMs === undefined ? given : { ...given, retryAfterMs: retryMs(given.retryAfterMs) };
    this.facts = "cause" in facts ? { ...wellFormed(sent), cause: facts.cause } : wellFormed(sent);
  }

  get status(): StatusName {
    return this.facts.status ?? reasons[this.reason].status;
  }

  /** Returns a copy with additional facts and, if given, another message. */
  with(facts: ErrorFacts, message = this.message): GatewayError {
    return new GatewayError(this.reason, message, { cause: this.cause, ...this.facts, ...facts });
  }
}

/** Converts a thrown value to a GatewayError. Any other value becomes the cause of an INTERNAL error. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError("INTERNAL", "an internal error occurred", { cause: thrown });
}

/** Limits a retry delay to whole milliseconds from 0 to a day. NaN becomes 0. */
function retryMs(delayMs: number): number {
  return Math.ceil(Math.min(Math.max(0, delayMs || 0), longestRetryMs));
}

/** Maximum number of invalid fields that an error names: a request of 16 MiB can have millions. */
export const mostViolations = 100;

/** Maximum characters of a field path, which can contain map keys from the caller. */
const longestField = 256;

/** Creates an INVALID_REQUEST error that names every invalid field, up to `mostViolations`. */
export function invalidRequest(violations: readonly FieldViolation[]): GatewayError {
  const fields = violations
    .slice(0, mostViolations)
    .map((violation) => ({ ...violation, field: cutPath(violation.field, longestField) }));
  const list = fields.map((violation) => `${fieldText(violation)}: ${violation.description}`).join("; ");
  const omitted = violations.length - fields.length;
  const rest = omitted > 0 ? `; and ${omitted} more` : "";
  return new GatewayError("INVALID_REQUEST", `invalid request: ${list}${rest}`, {
    fields,
    ...(omitted > 0 && { omittedFields: omitted }),
  });
}

import { type GatewayError, type Reason, reasons } from "../../errors.ts";
import { lookUp } from "../../look-up.ts";
import type { AttemptHeaders } from "../../upstream/attempt-headers.ts";
import { callFailure } from "../../upstream/errors.ts";
import { readText } from "../../upstream/read-text.ts";
import { redact } from "../../upstream/redact.ts";
import type { UpstreamResponse } from "../../upstream/response.ts";
import { limitResetMs, retryAfterMs } from "../../upstream/retry-after.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type ErrorReader, locateError, type ReportedError } from "./error-body.ts";
import { metadataJson } from "./metadata.ts";
import { contextLengths, type Meaning, meaningOfSentence, type Sentence } from "./sentences.ts";

/** Maximum bytes to read of an error body. Dragoman ignores the rest, such as the end of an HTML page. */
const errorBodyLimit = 64 * 1024;
/** Maximum characters of a provider's error message in Dragoman's message. */
const messageLimit = 500;

/** Maximum characters of a content filter's results. Azure's have about 500. */
const filterResultLimit = 8 * 1024;
/** Maximum characters of a field's path in Dragoman's error, and maximum number of fields that it names. */
const pathLimit = 256;
const mostRejectedFields = 16;

/** Rules that map the errors of one API to reasons. */
export interface ErrorDialect {
  readonly read: ErrorReader;
  /** Reasons by error code, else by error type, else by HTTP status as text. They override `reasonOfStatus`. */
  readonly codes: Readonly<Record<string, Reason>>;
  /** Reasons by error type, for errors inside a response that state no HTTP status. */
  readonly types: Readonly<Record<string, Reason>>;
  readonly sentences: readonly Sentence[];
  /** Reads the error code from a response header; empty if there is none. Undefined: the API has no such header. */
  readonly codeIn?: (response: UpstreamResponse) => string;
  /** What the base URL may lack, if the server does not know the path: `/v1 at its end`. Undefined: not known. */
  readonly baseUrlLacks?: string | undefined;
}

/** Names of the response headers in which most providers send the request id and their rate limits. */
export const commonHeaders: AttemptHeaders = { requestId: ["x-request-id"], limitPrefixes: ["x-ratelimit-"] };

const reasonOfStatus: Readonly<Record<number, Reason>> = {
  401: "PROVIDER_CREDENTIALS_REJECTED",
  402: "PROVIDER_QUOTA_EXHAUSTED",
  403: "PROVIDER_PERMISSION_DENIED",
  404: "MODEL_NOT_FOUND",
  407: "PROVIDER_CREDENTIALS_REJECTED",
  408: "PROVIDER_UNAVAILABLE",
  409: "PROVIDER_UNAVAILABLE",
  410: "MODEL_NOT_FOUND",
  421: "PROVIDER_UNAVAILABLE",
  424: "PROVIDER_UNAVAILABLE",
  425: "PROVIDER_RATE_LIMITED",
  429: "PROVIDER_RATE_LIMITED",
  // nginx sends 499 if its client closed the connection. Dragoman did not, so a proxy at the provider must have failed.
  499: "PROVIDER_UNAVAILABLE",
  501: "PROVIDER_FAULT",
  504: "PROVIDER_TIMEOUT",
};

/** Codes and types, in lower case, of errors that report a blocked prompt or output, whatever their HTTP status. */
const filterCodes: ReadonlySet<string> = new Set([
  // Azure OpenAI and Moonshot.
  "content_filter",
  // OpenAI. All but the first are in the type ResponseError of openai 7.55.0.
  "content_policy_violation",
  "invalid_prompt",
  "bio_policy",
  "misalignment_policy_violation",
  "image_content_policy_violation",
  // Azure OpenAI, as an inner code.
  "responsibleaipolicyviolation",
  // Servers of Alibaba's models. No document was checked.
  "data_inspection_failed",
  "datainspectionfailed",
]);

function isFilterCode(word: string): boolean {
  return filterCodes.has(word.toLowerCase());
}

/** Replacements for provider messages that do not help the caller or may contain part of an API key, by reason. */
const messages: Readonly<Partial<Record<Reason, string>>> = {
  PROVIDER_CREDENTIALS_REJECTED: "the provider rejected Dragoman's credentials; ask the operator to check them",
  PROVIDER_PERMISSION_DENIED: "the provider does not permit this request; use another model or ask the operator",
  PROVIDER_QUOTA_EXHAUSTED: "Dragoman's quota at the provider is exhausted; ask the operator, a retry does not help",
  PROVIDER_RATE_LIMITED: "the provider's rate limit is exceeded; retry later",
  PROVIDER_UNAVAILABLE: "the provider is overloaded or failing; retry",
  PROVIDER_TIMEOUT: "the provider did not respond in time; retry",
  PROVIDER_FAULT: "the provider returned an invalid response",
};

/** Reads the error from the body and headers of a response with a status other than 2xx. */
async function readErrorResponse(response: UpstreamResponse, dialect: ErrorDialect): Promise<ReportedError> {
  const { text } = await readText(response, errorBodyLimit);
  const error = locateError(text, dialect.read);
  const { headers, status } = response;
  const now = Date.now();
  return {
    ...error,
    code: dialect.codeIn?.(response) || error.code,
    retryAfterMs: retryAfterMs(headers, now) ?? error.retryAfterMs ?? limitResetMs(headers, status, now),
    // The HTTP status of the response overrides the status in its body.
    status,
  };
}

/** Converts a response with a status other than 2xx to a GatewayError. */
export async function responseFailure(
  response: UpstreamResponse,
  call: UpstreamCall,
  dialect: ErrorDialect,
): Promise<GatewayError> {
  return reportedFailure(await readErrorResponse(response, dialect), call, dialect);
}

/** Converts an error inside a response with status 200 to a GatewayError. */
export function embeddedFailure(error: ReportedError, call: UpstreamCall, dialect: ErrorDialect): GatewayError {
  return reportedFailure(error, call, dialect, "the provider failed in the middle of its response");
}

/**
 * Converts a provider's error to a GatewayError. `interruption` is the message for a caller that has already received
 * output; set it only for errors inside a response.
 */
function reportedFailure(
  error: ReportedError,
  call: UpstreamCall,
  dialect: ErrorDialect,
  interruption?: string,
): GatewayError {
  const reason = meaningOfSentence(error.message, classify(error, dialect), dialect.sentences);
  const code = error.code || error.type;
  if (reason === "CONTENT_FILTER") {
    const words = [error.code, error.innerCode, error.type];
    const contentFilter = words.find(isFilterCode) || words.find(Boolean) || "content_filter";
    const filterMetadataJson = filterMetadata(error, call);
    return callFailure("INVALID_REQUEST", quote(error.message, call), call, {
      code,
      contentFilter,
      ...(filterMetadataJson !== "" && { filterMetadataJson }),
    });
  }
  const { failedGeneration } = error;
  const rejectedFields = error.rejectedFields.filter(({ path }) => path.length <= pathLimit);
  const [rejected] = rejectedFields;
  if (reason === "TOOL_CALL_INVALID") {
    return toolCallFailure(call, code, error.message, failedGeneration);
  }
  const isWrongUrl = error.isPage === true && (reason === "PROVIDER_FAULT" || reason === "INVALID_REQUEST");
  const hasNoPath = reason === "PROVIDER_FAULT" && error.status === 404;
  const message =
    isWrongUrl || hasNoPath ? wrongUrlText(error, dialect) : (messages[reason] ?? quote(error.message, call));
  const providerMessage = wordsOf(error.message, call);
  return callFailure(reason, message, call, {
    code,
    ...(providerMessage !== "" && { providerMessage }),
    metadata: {
      ...(reason === "CONTEXT_LENGTH_EXCEEDED" ? contextLengths(error, dialect.sentences) : {}),
      ...(rejected && { parameter: rejected.path }),
    },
    ...(reason === "INVALID_REQUEST" && 0 < rejectedFields.length && rejectedFields.length <= mostRejectedFields
      ? { rejectedFields }
      : {}),
    ...(error.retryAfterMs !== undefined && reasons[reason].retryable ? { retryAfterMs: error.retryAfterMs } : {}),
    ...(failedGeneration === undefined ? {} : { failedGeneration }),
    // The model's invalid output is not an interruption, also after other output.
    ...(interruption === undefined || reason === "JSON_GENERATION_FAILED" ? {} : { interruption }),
  });
}

/** Returns the provider's words about its content filter, and the results of the filter, as JSON. */
function filterMetadata({ message, filterResult }: ReportedError, call: UpstreamCall): string {
  const words = wordsOf(message, call).toWellFormed();
  const result = JSON.stringify(filterResult ?? null);
  return metadataJson({
    ...(words !== "" && { message: words }),
    ...(result !== "null" && result.length <= filterResultLimit && { content_filter_result: filterResult }),
  });
}

/** Returns the error for a finish reason that means a failure. Callers get `reason` only before any output. */
export function failedAnswer(call: UpstreamCall, reason: Reason, code: string): GatewayError {
  const message = "the provider failed while it generated the response; retry";
  return callFailure(reason, message, call, { code, interruption: message });
}

/**
 * Returns the error for a tool call of the model that the provider rejected. It keeps its reason after output, because
 * the provider's response did not break off.
 */
export function toolCallFailure(
  call: UpstreamCall,
  code: string,
  message: string,
  failedGeneration?: string,
): GatewayError {
  const providerMessage = redactKeys(message, call);
  return callFailure(
    "TOOL_CALL_INVALID",
    providerMessage === "" ? invalidToolCall : `${invalidToolCall}: ${providerMessage.slice(0, messageLimit)}`,
    call,
    { code, providerMessage, ...(failedGeneration === undefined ? {} : { failedGeneration }) },
  );
}

const invalidToolCall = "the provider rejected the model's tool call; retry or simplify the tools";

function classify(error: ReportedError, { codes, types }: ErrorDialect): Meaning {
  if (error.reason !== undefined) return error.reason;
  const { code, innerCode, type, status } = error;
  if ([code, innerCode, type].some(isFilterCode)) return "CONTENT_FILTER";
  const byCode = lookUp(codes, code) ?? lookUp(codes, type) ?? lookUp(codes, String(status));
  if (byCode !== undefined) return byCode;
  if (error.failedGeneration !== undefined) return "JSON_GENERATION_FAILED";
  if (status === 0) return lookUp(types, type) ?? "PROVIDER_UNAVAILABLE";
  // A 404 that does not come from an API means that the base URL is wrong, and so does a page for 405.
  if (status === 404 && !error.structured) return "PROVIDER_FAULT";
  if (status === 405 && error.isPage) return "PROVIDER_FAULT";
  const byStatus = reasonOfStatus[status];
  if (byStatus !== undefined) return byStatus;
  if (status >= 500) return "PROVIDER_UNAVAILABLE";
  return status >= 400 ? "INVALID_REQUEST" : "PROVIDER_FAULT";
}

function wrongUrlText({ status, isPage }: ReportedError, { baseUrlLacks }: ErrorDialect): string {
  const what = isPage ? "returned an HTML page" : "does not have the path of the request";
  const lacks = status === 404 && baseUrlLacks !== undefined ? ` It may lack ${baseUrlLacks}` : "";
  return `the provider ${what} (HTTP ${status}): is base_url right?${lacks}`;
}

/** Quotes the provider's message, which tells the caller what to fix. */
function quote(message: string, call: UpstreamCall): string {
  const words = wordsOf(message, call);
  return words === ""
    ? "the provider rejected the request without giving a reason"
    : `the provider rejected the request: ${words}`;
}

/** Returns the beginning of the provider's message, with Dragoman's secrets and any API keys redacted. */
function wordsOf(message: string, call: UpstreamCall): string {
  return redactKeys(message, call).slice(0, messageLimit);
}

function redactKeys(message: string, { secrets }: UpstreamCall): string {
  const keys = /\b(?:(?:sk|gsk|xai|csk|fw|pplx|tgp|hf)[-_][\w*.-]{6,}|AIza[\w-]+)/gi;
  return redact(message, secrets()).replace(keys, "[redacted]");
}

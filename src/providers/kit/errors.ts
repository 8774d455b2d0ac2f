import { type GatewayError, type Reason, reasons } from "../../errors.ts";
import { lookUp } from "../../look-up.ts";
import { callFailure } from "../../upstream/errors.ts";
import { readText } from "../../upstream/read-text.ts";
import type { AttemptHeaders, UpstreamResponse } from "../../upstream/response.ts";
import { retryAfterMs } from "../../upstream/retry-after.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type ErrorReader, locateError, type ReportedError } from "./error-body.ts";
import { contextLengths, reasonOfSentence, type Sentence } from "./sentences.ts";

/** Error bodies beyond this are cut: what is further in a page of HTML helps nobody. */
const errorBodyLimit = 64 * 1024;
const messageLimit = 500;

/** How the errors of a dialect are understood. */
export interface ErrorDialect {
  readonly read: ErrorReader;
  /** Reasons by a code, else by a type, else by an HTTP status as text: only those that say more than the status. */
  readonly codes: Readonly<Record<string, Reason>>;
  /** Reasons by a type, a coarser word: looked up only where there is no HTTP status. */
  readonly types: Readonly<Record<string, Reason>>;
  readonly sentences: readonly Sentence[];
  /** The provider's code, where a header has it. */
  readonly codeIn?: (response: UpstreamResponse) => string;
}

/** The headers of most providers. */
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
  // nginx's word for a connection that its client closed: ours was not, or nobody would read this.
  499: "PROVIDER_UNAVAILABLE",
  501: "PROVIDER_FAULT",
  504: "PROVIDER_TIMEOUT",
};

/** What is said where the provider's own words would not help the caller, or could hold a piece of a key. */
const messages: Readonly<Partial<Record<Reason, string>>> = {
  PROVIDER_CREDENTIALS_REJECTED: "the provider rejected this service's key: its operator must check it",
  PROVIDER_PERMISSION_DENIED: "the provider does not permit this: use another model or ask the operator",
  PROVIDER_QUOTA_EXHAUSTED: "this service's quota at the provider is used up: waiting does not help",
  PROVIDER_RATE_LIMITED: "the provider's rate limit is reached: try again later",
  PROVIDER_UNAVAILABLE: "the provider is overloaded or failing: try again",
  PROVIDER_TIMEOUT: "the provider did not answer in time: try again",
  PROVIDER_FAULT: "the provider's answer could not be used",
};

/** Reads the error that a response with a status other than 2xx reports, in its body and its headers. */
export async function readErrorResponse(response: UpstreamResponse, dialect: ErrorDialect): Promise<ReportedError> {
  const { text } = await readText(response, errorBodyLimit);
  const error = locateError(text, dialect.read);
  const waitMs = retryAfterMs((name) => response.header(name), Date.now());
  return {
    ...error,
    code: dialect.codeIn?.(response) || error.code,
    retryAfterMs: waitMs ?? error.retryAfterMs,
    // What the body says of a status counts only where there is no other.
    status: response.status,
  };
}

/** The failure that a response with a status other than 2xx stands for. */
export async function responseFailure(
  response: UpstreamResponse,
  call: UpstreamCall,
  dialect: ErrorDialect,
): Promise<GatewayError> {
  return reportedFailure(await readErrorResponse(response, dialect), call, dialect);
}

/** The failure that an error inside an answer with status 200 stands for. */
export function embeddedFailure(error: ReportedError, call: UpstreamCall, dialect: ErrorDialect): GatewayError {
  return reportedFailure(error, call, dialect, "the provider failed in the middle of its answer");
}

/** The failure that an error stands for. `interruption` is given where the error is inside an answer. */
export function reportedFailure(
  error: ReportedError,
  call: UpstreamCall,
  dialect: ErrorDialect,
  interruption?: string,
): GatewayError {
  const reason = reasonOfSentence(error.message, classify(error, dialect), dialect.sentences);
  return callFailure(reason, messages[reason] ?? quote(error.message, call), call, {
    code: error.code || error.type,
    metadata: {
      ...(reason === "CONTEXT_LENGTH_EXCEEDED" ? contextLengths(error, dialect.sentences) : {}),
      ...(error.parameter === "" ? {} : { parameter: error.parameter }),
    },
    ...(error.retryAfterMs !== undefined && reasons[reason].retryable ? { retryAfterMs: error.retryAfterMs } : {}),
    ...(error.failedGeneration === undefined ? {} : { failedGeneration: error.failedGeneration }),
    ...(interruption === undefined ? {} : { interruption }),
  });
}

/** The failure of an answer whose finish reason is one. `reason` is what it means before any output. */
export function failedAnswer(call: UpstreamCall, reason: Reason, code: string): GatewayError {
  const message = "the provider failed in its answer: try again";
  return callFailure(reason, message, call, { code, interruption: message });
}

function classify(error: ReportedError, { codes, types }: ErrorDialect): Reason {
  if (error.reason !== undefined) return error.reason;
  const { code, type, status } = error;
  const byCode = lookUp(codes, code) ?? lookUp(codes, type) ?? lookUp(codes, String(status));
  if (byCode !== undefined) return byCode;
  if (error.failedGeneration !== undefined) return "JSON_GENERATION_FAILED";
  if (status === 0) return lookUp(types, type) ?? "PROVIDER_UNAVAILABLE";
  // A 404 that no API wrote comes from a wrong address.
  if (status === 404 && !error.structured) return "PROVIDER_FAULT";
  const byStatus = reasonOfStatus[status];
  if (byStatus !== undefined) return byStatus;
  if (status >= 500) return "PROVIDER_UNAVAILABLE";
  return status >= 400 ? "INVALID_REQUEST" : "PROVIDER_FAULT";
}

/** The provider's own words, which tell the caller what to fix. Our key, and what looks like one, is taken out. */
function quote(message: string, { secrets }: UpstreamCall): string {
  const withoutOurs = secrets().reduce((text, secret) => text.replaceAll(secret, "[redacted]"), message);
  const words = withoutOurs
    .replace(/\b(?:(?:sk|gsk|xai|csk)-[\w*.-]+|AIza[\w-]+)/gi, "[redacted]")
    .slice(0, messageLimit);
  return words === ""
    ? "the provider rejected the request and did not say why"
    : `the provider rejected the request: ${words}`;
}

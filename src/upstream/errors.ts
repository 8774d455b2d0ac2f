import { type ErrorFacts, GatewayError, type Reason, reasons } from "../errors.ts";
import { lookUp } from "../look-up.ts";
import { locateError, type ProvidersError } from "./error-body.ts";
import { readText } from "./read-text.ts";
import type { UpstreamResponse } from "./response.ts";
import { retryAfterMs } from "./retry-after.ts";
import { contextLengths, reasonOfSentence } from "./sentences.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Error bodies beyond this are cut: what is further in a page of HTML helps nobody. */
const errorBodyLimit = 64 * 1024;
const messageLimit = 500;

/**
 * Reasons by the provider's own code. Only codes that say more than their HTTP status, over all servers of OpenAI's
 * dialect; providers whose codes mean something else pass their own table. A table may have HTTP statuses, as text,
 * which mean something else at a provider.
 */
export const reasonOfCode: Readonly<Record<string, Reason>> = {
  invalid_api_key: "PROVIDER_CREDENTIALS_REJECTED",
  model_not_found: "MODEL_NOT_FOUND",
  context_length_exceeded: "CONTEXT_LENGTH_EXCEEDED",
  exceed_context_size_error: "CONTEXT_LENGTH_EXCEEDED",
  insufficient_quota: "PROVIDER_QUOTA_EXHAUSTED",
  credit_balance_exhausted: "PROVIDER_QUOTA_EXHAUSTED",
  billing_hard_limit_reached: "PROVIDER_QUOTA_EXHAUSTED",
  rate_limit_exceeded: "PROVIDER_RATE_LIMITED",
  server_is_overloaded: "PROVIDER_UNAVAILABLE",
  unsupported_parameter: "INVALID_REQUEST",
  unsupported_value: "INVALID_REQUEST",
  json_validate_failed: "JSON_GENERATION_FAILED",
  tool_use_failed: "PROVIDER_FAULT",
};

/** Reasons by the type of the error, a coarser word: asked only where there is no HTTP status. */
const reasonOfType: Readonly<Record<string, Reason>> = {
  authentication_error: "PROVIDER_CREDENTIALS_REJECTED",
  permission_error: "PROVIDER_PERMISSION_DENIED",
  not_found_error: "MODEL_NOT_FOUND",
  invalid_request_error: "INVALID_REQUEST",
  rate_limit_error: "PROVIDER_RATE_LIMITED",
  requests: "PROVIDER_RATE_LIMITED",
  tokens: "PROVIDER_RATE_LIMITED",
};

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

/** A failure of this call, with what is known of the provider's side of it. */
export function callFailure(
  reason: Reason,
  message: string,
  call: UpstreamCall,
  { code = "", metadata, ...facts }: Omit<ErrorFacts, "provider"> & { readonly code?: string } = {},
): GatewayError {
  const { provider, providerModel, httpStatus, providerRequestId } = call.attempt;
  return new GatewayError(reason, message, {
    ...facts,
    metadata: { provider, ...metadata, ...(call.outputStarted ? { partial: "true" } : {}) },
    provider: {
      $typeName: "dragoman.v1.ProviderError",
      provider,
      providerModel,
      httpStatus,
      code,
      requestId: providerRequestId,
      outputStarted: call.outputStarted,
    },
  });
}

/** A connection that could not be made, or that broke. `status` is 0 while no headers had arrived. */
export function connectionFailure(error: Error, status: number, call: UpstreamCall): GatewayError {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (status !== 0) {
    return callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider's answer was cut: try again", call, {
      cause: error,
    });
  }
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return callFailure("PROVIDER_TIMEOUT", "the provider could not be connected to in time: try again", call, {
      cause: error,
    });
  }
  return callFailure("PROVIDER_UNAVAILABLE", `the provider could not be reached (${code || error.name})`, call, {
    cause: error,
  });
}

/**
 * The failure that an answer with a status other than 2xx stands for. Reads its body. `code` is the provider's code
 * where a header says it.
 */
export async function responseFailure(
  response: UpstreamResponse,
  call: UpstreamCall,
  codes: Readonly<Record<string, Reason>> = reasonOfCode,
  code = "",
): Promise<GatewayError> {
  const { text } = await readText(response, errorBodyLimit);
  const error = locateError(text);
  const waitMs = retryAfterMs((name) => response.header(name), Date.now());
  return failureOf({ ...error, code: code || error.code }, response.status, call, codes, waitMs);
}

/** The failure that an error inside an answer with status 200 stands for. */
export function embeddedFailure(
  error: ProvidersError,
  call: UpstreamCall,
  codes: Readonly<Record<string, Reason>> = reasonOfCode,
): GatewayError {
  if (call.outputStarted) {
    return callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider failed in the middle of its answer", call, {
      code: error.code || error.type,
    });
  }
  return failureOf(error, error.status, call, codes, undefined);
}

function failureOf(
  error: ProvidersError,
  status: number,
  call: UpstreamCall,
  codes: Readonly<Record<string, Reason>>,
  waitMs: number | undefined,
): GatewayError {
  const reason = reasonOfSentence(error.message, classify(error, status, codes));
  const retryAfterMs = waitMs ?? error.retryAfterMs;
  const facts = {
    code: error.code || error.type,
    metadata: {
      ...(reason === "CONTEXT_LENGTH_EXCEEDED" ? contextLengths(error) : {}),
      ...(error.parameter === "" ? {} : { parameter: error.parameter }),
    },
    ...(retryAfterMs !== undefined && reasons[reason].retryable ? { retryAfterMs } : {}),
    ...(error.failedGeneration === undefined ? {} : { failedGeneration: error.failedGeneration }),
  };
  return callFailure(reason, messages[reason] ?? quote(error.message, call), call, facts);
}

function classify(error: ProvidersError, status: number, codes: Readonly<Record<string, Reason>>): Reason {
  if (error.dailyQuota) return "PROVIDER_QUOTA_EXHAUSTED";
  const byCode = lookUp(codes, error.code) ?? lookUp(codes, error.type) ?? lookUp(codes, String(status));
  if (byCode !== undefined) return byCode;
  if (error.failedGeneration !== undefined) return "JSON_GENERATION_FAILED";
  if (status === 0) return lookUp(reasonOfType, error.type) ?? "PROVIDER_UNAVAILABLE";
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
    ? "the provider refused the request and did not say why"
    : `the provider refused the request: ${words}`;
}

import type { GatewayError, Reason } from "../../errors.ts";

/**
 * The HTTP status of each reason, for every surface. Those who read it are SDKs, which raise a class of error by it and
 * ask again at 408, 409, 429 and from 500 on.
 */
const statuses = {
  INVALID_REQUEST: 400,
  UNSUPPORTED_PARAMETER: 400,
  CONTEXT_LENGTH_EXCEEDED: 400,
  JSON_GENERATION_FAILED: 400,
  CREDENTIALS_MISSING: 401,
  CREDENTIALS_INVALID: 401,
  // Somebody has to pay. Waiting does not help, and 402 is not tried again.
  PROVIDER_QUOTA_EXHAUSTED: 402,
  ACCOUNT_NOT_ALLOWED: 403,
  PROVIDER_PERMISSION_DENIED: 403,
  MODEL_NOT_FOUND: 404,
  SERVICE_NOT_FOUND: 404,
  METHOD_NOT_FOUND: 404,
  DEADLINE_EXCEEDED: 408,
  REQUEST_TOO_LARGE: 413,
  UNSUPPORTED_ENCODING: 415,
  PROVIDER_RATE_LIMITED: 429,
  QUEUE_FULL: 429,
  CONCURRENCY_LIMITED: 429,
  // Nobody is left to read it; nginx writes it to its log so.
  CANCELLED: 499,
  // Not 401 or 403: the key that was refused is this service's, and the caller's is good. Not 503: it does not pass.
  PROVIDER_CREDENTIALS_REJECTED: 500,
  PROVIDER_FAULT: 500,
  INTERNAL: 500,
  PROVIDER_UNAVAILABLE: 503,
  PROVIDER_TIMEOUT: 503,
  PROVIDER_STREAM_INTERRUPTED: 503,
  SHUTTING_DOWN: 503,
} as const satisfies Record<Reason, number>;

/** The HTTP status that an error has on a surface that has none of its own for it. */
export function httpStatusOf({ reason, facts }: GatewayError): number {
  // A model or deployment that the provider has taken down for good.
  if (reason === "MODEL_NOT_FOUND" && facts.provider?.httpStatus === 410) return 410;
  return statuses[reason];
}

/**
 * The headers of an error on every surface, in lower case: `retry-after` in whole seconds and `retry-after-ms` where
 * waiting helps, `x-should-retry` where the status would have SDKs ask again in vain (the clients that Stainless
 * generates read both of the latter), and the challenge that RFC 9110, section 15.5.2, wants with 401.
 */
export function httpHeadersOf(error: GatewayError): Readonly<Record<string, string>> {
  const { retryAfterMs } = error.facts;
  return {
    ...(retryAfterMs !== undefined && {
      "retry-after": String(Math.ceil(retryAfterMs / 1000)),
      "retry-after-ms": String(Math.ceil(retryAfterMs)),
    }),
    ...(error.reason === "PROVIDER_CREDENTIALS_REJECTED" && { "x-should-retry": "false" }),
    ...(httpStatusOf(error) === 401 && { "www-authenticate": "Bearer" }),
  };
}

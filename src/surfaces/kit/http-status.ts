import { type GatewayError, isLimitReason, reasons } from "../../errors.ts";

/** Returns the default HTTP status of an error. An API may send another status. */
export function httpStatusOf({ reason, facts }: GatewayError): number {
  // With 410 (Gone), the provider says that it has removed the model permanently. Keep 410 instead of the default 404.
  if (reason === "MODEL_NOT_FOUND" && facts.provider?.httpStatus === 410) return 410;
  if (facts.allow !== undefined) return 405;
  return reasons[reason].http;
}

/** Longest delay in ms that the SDKs of Stainless wait. They ignore a longer one, and retry within seconds. */
const longestSdkDelayMs = 60_000;

/**
 * Returns the headers of an error response, in lower case, the same in every API. OpenAI's SDK and other SDKs that
 * Stainless generates read `retry-after-ms` and `x-should-retry`; false prevents useless retries: of a status 500, and of
 * an account's limit that stays longer than these SDKs wait.
 * RFC 9110 requires `www-authenticate` with 401 and `allow` with 405 (sections 15.5.2 and 15.5.6).
 */
export function httpHeadersOf(error: GatewayError): Readonly<Record<string, string>> {
  const { allow, retryAfterMs } = error.facts;
  return {
    ...(allow !== undefined && { allow }),
    ...(retryAfterMs !== undefined && {
      "retry-after": String(Math.ceil(retryAfterMs / 1000)),
      "retry-after-ms": String(retryAfterMs),
    }),
    ...((error.reason === "PROVIDER_CREDENTIALS_REJECTED" || isLastingLimit(error)) && { "x-should-retry": "false" }),
    ...(httpStatusOf(error) === 401 && { "www-authenticate": "Bearer" }),
  };
}

function isLastingLimit({ reason, facts: { retryAfterMs = Number.POSITIVE_INFINITY } }: GatewayError): boolean {
  return isLimitReason(reason) && retryAfterMs > longestSdkDelayMs;
}

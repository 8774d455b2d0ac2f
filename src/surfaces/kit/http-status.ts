import { type GatewayError, reasons } from "../../errors.ts";

/** The HTTP status that an error has on a surface that has none of its own for it. */
export function httpStatusOf({ reason, facts }: GatewayError): number {
  // A model or deployment that the provider has taken down for good.
  if (reason === "MODEL_NOT_FOUND" && facts.provider?.httpStatus === 410) return 410;
  return reasons[reason].http;
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

import { type ErrorFacts, GatewayError, type Reason } from "../errors.ts";
import { ConnectionError, codeOf, meaningOf } from "./connection-error.ts";
import { redact } from "./redact.ts";
import { ProxyError } from "./tunnel.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/**
 * Creates the error of an upstream request, with the provider's details. Redacts Dragoman's credentials in every text.
 * If output was sent before, `attemptFailure` corrects the error later.
 */
export function callFailure(
  reason: Reason,
  message: string,
  call: UpstreamCall,
  { code = "", metadata, ...facts }: Omit<ErrorFacts, "provider"> & { readonly code?: string } = {},
): GatewayError {
  const { provider, providerModel, httpStatus, providerRequestId } = call.attempt;
  const secrets = call.secrets();
  const clean = (text: string): string => redact(text, secrets);
  const { failedGeneration, providerMessage, interruption } = facts;
  return new GatewayError(reason, clean(message), {
    ...facts,
    ...(failedGeneration !== undefined && { failedGeneration: clean(failedGeneration) }),
    ...(providerMessage !== undefined && { providerMessage: clean(providerMessage) }),
    ...(interruption !== undefined && { interruption: clean(interruption) }),
    metadata: Object.fromEntries(
      Object.entries({ provider, ...metadata }).map(([name, value]) => [name, clean(value)]),
    ),
    provider: {
      $typeName: "dragoman.v1.ProviderError",
      provider,
      providerModel,
      httpStatus,
      code: clean(code),
      requestId: clean(providerRequestId),
      outputStarted: false,
    },
  });
}

/**
 * Creates the error for a connection that failed or broke.
 *
 * @param status HTTP status of the response; 0 if the headers had not arrived
 * @param url address of the provider, for the operator's log
 */
export function connectionFailure(error: Error, status: number, url: URL, call: UpstreamCall): GatewayError {
  if (error instanceof ProxyError) return proxyFailure(error, call);
  const cause = new ConnectionError(error, url);
  if (status !== 0) {
    const message = "the connection broke during the provider's response: try again";
    return callFailure("PROVIDER_STREAM_INTERRUPTED", message, call, { cause });
  }
  const { words, reason = "PROVIDER_UNAVAILABLE", mayPass = true } = meaningOf(error);
  return callFailure(reason, `the provider could not be reached: ${words} (${codeOf(error)})`, call, {
    cause,
    ...(!mayPass && { retryHere: false }),
  });
}

/** Reasons by the status of the proxy's response. */
const proxyReasons: Readonly<Record<number, Reason>> = {
  403: "PROVIDER_PERMISSION_DENIED",
  407: "PROVIDER_CREDENTIALS_REJECTED",
};

function proxyFailure(error: ProxyError, call: UpstreamCall): GatewayError {
  const { proxy, status, isTimeout } = error;
  const reason = isTimeout ? "PROVIDER_TIMEOUT" : (proxyReasons[status] ?? "PROVIDER_UNAVAILABLE");
  const mayPass = !(error.cause instanceof Error) || meaningOf(error.cause).mayPass !== false;
  const facts = { metadata: { proxy }, cause: error, ...(!mayPass && { retryHere: false as const }) };
  return callFailure(reason, error.message, call, facts);
}

/**
 * Creates the error for a response that Dragoman cannot parse.
 *
 * @param what a clause about the response, such as `it is too long`
 */
export function malformedAnswer(call: UpstreamCall, what: string, cause?: unknown): GatewayError {
  const message = `the provider's response is malformed: ${what}`;
  return callFailure("PROVIDER_FAULT", message, call, { cause, interruption: message });
}

/**
 * Creates the error for a response that another attempt at the same target would get again: it exceeds a bound, or it
 * comes from something else than the provider's API.
 *
 * @param what as for `malformedAnswer`
 */
export function unusableAnswer(call: UpstreamCall, what: string): GatewayError {
  return malformedAnswer(call, what).with({ retryHere: false });
}

/**
 * Creates the error for a response without its last part, such as a finish reason: PROVIDER_STREAM_INTERRUPTED if it
 * broke off. A response that is whole in its form is PROVIDER_FAULT, because a retry would get the same.
 */
export function cutAnswer(call: UpstreamCall): GatewayError {
  if (call.hasEnd) return malformedAnswer(call, "it ends without a finish reason");
  return callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider's response ended too early: try again", call);
}

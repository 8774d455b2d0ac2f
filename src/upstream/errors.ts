import { type ErrorFacts, GatewayError, type Reason } from "../errors.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** A failure of this call, with what is known of the provider's side of it. It says what it means before any output. */
export function callFailure(
  reason: Reason,
  message: string,
  call: UpstreamCall,
  { code = "", metadata, ...facts }: Omit<ErrorFacts, "provider"> & { readonly code?: string } = {},
): GatewayError {
  const { provider, providerModel, httpStatus, providerRequestId } = call.attempt;
  return new GatewayError(reason, message, {
    ...facts,
    metadata: { provider, ...metadata },
    provider: {
      $typeName: "dragoman.v1.ProviderError",
      provider,
      providerModel,
      httpStatus,
      code,
      requestId: providerRequestId,
      outputStarted: false,
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

/** An answer that cannot be read. */
export function malformedAnswer(call: UpstreamCall, what: string, cause?: unknown): GatewayError {
  const message = `the provider's answer is malformed: ${what}`;
  return callFailure("PROVIDER_FAULT", message, call, { cause, interruption: message });
}

/** An answer that ended before it was whole. */
export function cutAnswer(call: UpstreamCall): GatewayError {
  return callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider's answer ended before it was whole: try again", call);
}

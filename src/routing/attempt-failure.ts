import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import { ProviderErrorSchema } from "../gen/dragoman/v1/error_pb.js";

/**
 * Returns the error of a failed attempt. A provider error states whether output had started. If it had, an error with
 * the fact `interruption` becomes PROVIDER_STREAM_INTERRUPTED. Adapters throw the reason that applies before output.
 */
export function attemptFailure(error: unknown, attempt: Attempt, outputStarted: boolean): GatewayError {
  if (!(error instanceof GatewayError)) {
    return new GatewayError("INTERNAL", "an internal error occurred", { cause: error });
  }
  const { provider: reported, providerMessage, interruption, metadata, retryHere, retryAfterMs } = error.facts;
  if (reported === undefined && !error.reason.startsWith("PROVIDER_")) return error;
  const provider = { ...(reported ?? providerError(attempt)), outputStarted };
  if (!outputStarted) return error.with({ provider });
  if (interruption === undefined) return error.with({ provider, metadata: { ...metadata, partial: "true" } });
  return new GatewayError("PROVIDER_STREAM_INTERRUPTED", interruption, {
    cause: error.cause,
    metadata: { provider: provider.provider, partial: "true" },
    provider,
    ...(providerMessage !== undefined && { providerMessage }),
    brokenBy: { reason: error.reason, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    ...(retryHere === false && { retryHere }),
  });
}

/** Builds a ProviderError from the attempt, for an error without one. */
function providerError({ provider, providerModel, httpStatus, providerRequestId: requestId }: Attempt) {
  return create(ProviderErrorSchema, { provider, providerModel, httpStatus, requestId });
}

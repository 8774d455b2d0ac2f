import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors.ts";
import type { Attempt } from "../../gen/dragoman/v1/attempt_pb.js";
import { ProviderErrorSchema } from "../../gen/dragoman/v1/error_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Script } from "./script.ts";

/** Creates the error that a script requests, as if the provider had sent it. */
export function requestedFailure(
  { reason, http_status: httpStatus, retry_after_ms: retryAfterMs }: Omit<NonNullable<Script["fail"]>, "after">,
  { provider, providerModel }: Model,
  attempt: Attempt,
): GatewayError {
  attempt.httpStatus = httpStatus;
  return new GatewayError(reason, `the echo script requested the error ${reason}`, {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    provider: create(ProviderErrorSchema, { provider, providerModel, httpStatus }),
  });
}

/** Rejects when the attempt is aborted. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

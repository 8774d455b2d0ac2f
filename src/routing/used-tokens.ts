import type { GatewayError } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { QueueState } from "../providers/adapter.ts";

/**
 * Returns whether an upstream request that reported no usage may have used tokens. One that the provider rejected, or
 * that did not reach it, has used none.
 *
 * @param accepted whether the provider has reported that it accepted the request
 * @param failure of the attempt. A timeout has a cause, the error of the socket, if there was no connection.
 */
export function mayHaveUsedTokens(
  { outcome, duration, httpStatus }: Attempt,
  accepted: boolean,
  { waitsFor }: Readonly<QueueState>,
  failure: GatewayError | undefined,
): boolean {
  if (accepted || (httpStatus >= 200 && httpStatus < 300)) return true;
  if (httpStatus > 0 || waitsFor !== undefined) return false;
  if (outcome === AttemptOutcome.FAILED) return failure?.reason === "PROVIDER_TIMEOUT" && failure.cause === undefined;
  return outcome !== AttemptOutcome.ABANDONED || duration !== undefined;
}

import type { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { Outcome } from "../ledger/record.ts";

/** Returns how a call ended. `error`: undefined if it succeeded. */
export function outcomeOf(error: GatewayError | undefined, attempts: readonly Attempt[]): Outcome {
  if (error === undefined) return "ok";
  if (error.reason === "CANCELLED") return "cancelled";
  if (error.reason === "DEADLINE_EXCEEDED") return "deadline_exceeded";
  return attempts.length === 0 ? "refused" : "failed";
}

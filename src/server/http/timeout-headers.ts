import { timeoutMs } from "../services/grpc-timeout.ts";

/**
 * Deletes deadlines beyond the maximum call duration, which ends a call first anyway. Callers who mean "no deadline" send
 * values that Connect hands to a timer of Node, and above 2^31-1 ms, about 25 days, that timer fires at once.
 */
export function limitTimeouts(headers: Record<string, string | string[] | undefined>, maxMs: number): void {
  if ((timeoutMs(headers["grpc-timeout"]) ?? 0) > maxMs) delete headers["grpc-timeout"];
  if (Number(headers["connect-timeout-ms"] ?? 0) > maxMs) delete headers["connect-timeout-ms"];
}

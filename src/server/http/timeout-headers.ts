import { timeoutMs } from "../services/grpc-timeout.ts";

/**
 * Deletes timeout headers above the maximum call duration: they have no effect, since that maximum ends the call first.
 * Some callers send very large values to mean "no deadline". Connect would pass them to a Node timer, which fires at
 * once above 2^31-1 ms (about 25 days).
 */
export function limitTimeouts(headers: Record<string, string | string[] | undefined>, maxMs: number): void {
  if ((timeoutMs(headers["grpc-timeout"]) ?? 0) > maxMs) delete headers["grpc-timeout"];
  if (Number(headers["connect-timeout-ms"] ?? 0) > maxMs) delete headers["connect-timeout-ms"];
}

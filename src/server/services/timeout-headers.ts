/** Milliseconds in the units of `grpc-timeout`: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/**
 * Takes out deadlines beyond the longest call, which ends first anyway. Callers who mean "no deadline" send values that
 * both libraries hand to a timer of Node, and above 2^31-1 ms, about 25 days, that timer fires at once.
 */
export function limitTimeouts(headers: Record<string, string | string[] | undefined>, maxMs: number): void {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"] ?? "")) ?? [];
  if (Number(digits) * (unitMs[unit ?? ""] ?? 0) > maxMs) delete headers["grpc-timeout"];
  if (Number(headers["connect-timeout-ms"] ?? 0) > maxMs) delete headers["connect-timeout-ms"];
}

/** Milliseconds in the units of `grpc-timeout`: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** Parses a `grpc-timeout` header to milliseconds. Undefined: the header is absent or malformed. */
export function timeoutMs(header: string | readonly string[] | undefined): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? "")) ?? [];
  const ms = unitMs[unit];
  return ms === undefined ? undefined : Number(digits) * ms;
}

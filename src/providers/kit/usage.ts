import { type Cost, CostSource, type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import { withinBounds } from "../../tokens/usage-counts.ts";

/** Counts that a provider may report, besides the two totals. A count that it does not report is unset. */
type Parts = Partial<
  Omit<Usage, "$typeName" | "$unknown" | "inputTokens" | "outputTokens" | "totalTokens" | "quality">
>;

/** Parts as a provider sends them: undefined or null if it does not report them. */
type ReportedParts = { readonly [Name in keyof Parts]: Parts[Name] | null };

const base = { $typeName: "dragoman.v1.Usage", serverToolRequests: {}, quality: UsageQuality.EXACT } as const;

/**
 * Converts the provider's token counts for a whole call. `input` and `output` include the counts in `parts`. Counts
 * above 2^31-1 become 2^31-1, with the quality ESTIMATED.
 */
export function exactUsage(input: number, output: number, parts: ReportedParts = {}): Usage {
  return withinBounds({
    ...base,
    inputTokens: input,
    outputTokens: output,
    totalTokens: input + output,
    ...present(parts),
  });
}

/** Returns only the counts that the provider reports: a reported 0 stays 0. */
function present(parts: ReportedParts): Parts {
  const reported: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parts)) {
    if (value !== undefined && value !== null) reported[name] = value;
  }
  return reported;
}

/** Most tools of `server_tool_requests`. Anthropic, which reports the most, has 3. */
const mostTools = 32;

/** Returns the counts of requests to tools that the provider ran, without those that the provider does not report. */
export function toolRequests(counts: Readonly<Record<string, unknown>>): Record<string, number> {
  const reported: [string, number][] = [];
  for (const name in counts) {
    const count = counts[name];
    if (isCount(count) && /^\w{1,64}$/.test(name)) reported.push([name, count]);
  }
  return Object.fromEntries(reported.slice(0, mostTools));
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Decimals of a nanodollar. */
const nanoDecimals = 9;

/** Greatest cost of one call that can be true: a million dollars. */
const greatestNanos = 10n ** BigInt(nanoDecimals + 6);

/**
 * Returns the cost that a provider reports. Undefined if there is none, or if no call can have it.
 *
 * @param amount in units of 10^-decimals US dollars
 */
export function providerCost(amount: number | null | undefined, decimals = 0): Cost | undefined {
  const totalNanos = amount === undefined || amount === null ? undefined : nanosOf(amount, decimals);
  if (totalNanos === undefined || totalNanos > greatestNanos) return undefined;
  return {
    $typeName: "dragoman.v1.Cost",
    totalNanos,
    inputNanos: 0n,
    cachedInputNanos: 0n,
    cacheWriteNanos: 0n,
    outputNanos: 0n,
    otherNanos: 0n,
    source: CostSource.PROVIDER,
    priceVersion: "",
  };
}

/**
 * Converts an amount to nanodollars, rounded half up. Works on the decimal digits, because products of floating-point
 * numbers are inexact: JavaScript formats a number with the digits that the JSON had, up to 15 of them.
 */
function nanosOf(amount: number, decimals: number): bigint | undefined {
  const [, whole, fraction = "", exponent = "0"] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(amount)) ?? [];
  if (whole === undefined) return undefined;
  const digits = BigInt(whole + fraction);
  const scale = Number(exponent) - fraction.length + nanoDecimals - decimals;
  if (scale >= 0) return digits * 10n ** BigInt(scale);
  const divisor = 10n ** BigInt(-scale);
  return (digits + divisor / 2n) / divisor;
}

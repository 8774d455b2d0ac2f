import type { Cost, Usage } from "../gen/dragoman/v1/usage_pb.js";
import { parts, totals, withinBounds } from "./usage-counts.ts";

const amounts = [
  "totalNanos",
  "inputNanos",
  "cachedInputNanos",
  "cacheWriteNanos",
  "outputNanos",
  "otherNanos",
] as const satisfies readonly (keyof Cost)[];

/**
 * Adds the usage of two upstream requests. The sum has the worse quality of the two: UsageQuality is numbered from best
 * to worst. A count that only one of them has is the sum: Google omits counts of 0. A cost that only one of them has is
 * dropped, because the sum would be too low.
 */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Usage = { ...a, quality: Math.max(a.quality, b.quality), serverToolRequests: { ...a.serverToolRequests } };
  for (const count of totals) sum[count] = a[count] + b[count];
  for (const count of parts) {
    const known = b[count];
    if (known !== undefined) sum[count] = (a[count] ?? 0) + known;
  }
  for (const [tool, requests] of Object.entries(b.serverToolRequests)) {
    sum.serverToolRequests[tool] = (sum.serverToolRequests[tool] ?? 0) + requests;
  }
  const cost = a.cost && b.cost && addCost(a.cost, b.cost);
  if (cost === undefined) delete sum.cost;
  else sum.cost = cost;
  return withinBounds(sum);
}

function addCost(a: Cost, b: Cost): Cost {
  const sum = { ...a };
  for (const amount of amounts) sum[amount] = a[amount] + b[amount];
  return sum;
}

import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import { parts, totals, withinBounds } from "./usage-counts.ts";

/**
 * Adds the usage of two upstream requests. The sum has the worse quality of the two: UsageQuality is numbered from best
 * to worst. A count that only one of them has is the sum: Google omits counts of 0. The sum has no cost: a Bill
 * (prices/bill.ts) adds costs exactly.
 */
export function addUsage(a: Usage, b: Usage): Usage {
  const { cost: _, ...counts } = a;
  const sum: Usage = {
    ...counts,
    quality: Math.max(a.quality, b.quality),
    serverToolRequests: { ...a.serverToolRequests },
  };
  for (const count of totals) sum[count] = a[count] + b[count];
  for (const count of parts) {
    const known = b[count];
    if (known !== undefined) sum[count] = (a[count] ?? 0) + known;
  }
  for (const [tool, requests] of Object.entries(b.serverToolRequests)) {
    sum.serverToolRequests[tool] = (sum.serverToolRequests[tool] ?? 0) + requests;
  }
  return withinBounds(sum);
}

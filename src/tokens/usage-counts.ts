import { type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";

/** Counts that every usage has. */
export const totals = ["inputTokens", "outputTokens", "totalTokens"] as const satisfies readonly (keyof Usage)[];

/** Counts that a provider may not report. */
export const parts = [
  "cachedInputTokens",
  "cacheWriteInputTokens",
  "cacheWrite1hInputTokens",
  "reasoningTokens",
  "acceptedPredictionTokens",
  "rejectedPredictionTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "imageInputTokens",
  "imageOutputTokens",
] as const satisfies readonly (keyof Usage)[];

const all = [...totals, ...parts] as const;

/** Greatest count that the contract's 32-bit fields can hold. */
const greatest = 2 ** 31 - 1;

/** Limits every count of a usage to 2^31-1. A usage with a larger count has the quality ESTIMATED, or a worse one. */
export function withinBounds(usage: Usage): Usage {
  const { serverToolRequests } = usage;
  const counts = all.filter((name) => (usage[name] ?? 0) > greatest);
  const tools = Object.entries(serverToolRequests).filter(([, count]) => count > greatest);
  if (counts.length + tools.length === 0) return usage;
  return {
    ...usage,
    ...Object.fromEntries(counts.map((name) => [name, greatest])),
    serverToolRequests: { ...serverToolRequests, ...Object.fromEntries(tools.map(([tool]) => [tool, greatest])) },
    quality: Math.max(usage.quality, UsageQuality.ESTIMATED),
  };
}

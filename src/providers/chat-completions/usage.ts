import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { exactUsage } from "../kit/usage.ts";
import type { ChunkUsage } from "./wire.ts";

/** xAI counts costs in pieces of a dollar. https://docs.x.ai/developers/cost-tracking */
const ticksPerDollar = 10_000_000_000;

/** The counts with totals that contain their parts, and the cost where the server tells it. */
export function toUsage(usage: ChunkUsage): Usage {
  const input = usage.prompt_tokens ?? 0;
  const details = usage.completion_tokens_details;
  const reasoning = details?.reasoning_tokens ?? usage.reasoning_tokens ?? 0;
  const visible = usage.completion_tokens ?? 0;
  // xAI counts reasoning beside the completion. The total tells, and so does a part that is larger than the whole.
  const isBeside = reasoning > visible || (reasoning > 0 && usage.total_tokens === input + visible + reasoning);
  const cost = costOf(usage);
  const output = isBeside ? visible + reasoning : visible;
  return exactUsage(input, output, {
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens ?? 0,
    cacheWriteInputTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    reasoningTokens: reasoning,
    acceptedPredictionTokens: details?.accepted_prediction_tokens ?? 0,
    rejectedPredictionTokens: details?.rejected_prediction_tokens ?? 0,
    ...(cost !== undefined && { providerCostUsd: cost }),
  });
}

function costOf({ estimated_cost, cost, cost_in_usd_ticks: ticks }: ChunkUsage): number | undefined {
  return estimated_cost ?? cost ?? (typeof ticks === "number" ? ticks / ticksPerDollar : undefined);
}

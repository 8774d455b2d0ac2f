import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { exactUsage } from "../kit/usage.ts";
import type { ChunkUsage } from "./wire.ts";

/** xAI reports the cost of a request in ticks. https://docs.x.ai/developers/cost-tracking */
const ticksPerDollar = 10_000_000_000;

/** Converts a server's token counts, and its cost if it reports one. The output tokens include the reasoning tokens. */
export function toUsage(usage: ChunkUsage): Usage {
  const input = usage.prompt_tokens ?? 0;
  const details = usage.completion_tokens_details;
  const reasoning = details?.reasoning_tokens ?? usage.reasoning_tokens ?? 0;
  const visible = usage.completion_tokens ?? 0;
  // xAI's completion tokens exclude reasoning tokens. Assume this of any server with fewer completion
  // tokens than reasoning tokens, or with a total that is the sum of prompt, completion and reasoning tokens.
  const isSeparate = reasoning > visible || (reasoning > 0 && usage.total_tokens === input + visible + reasoning);
  const cost = costOf(usage);
  const output = isSeparate ? visible + reasoning : visible;
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

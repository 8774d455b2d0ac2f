import type { Cost, Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { exactUsage, providerCost } from "../kit/usage.ts";
import type { ChunkUsage } from "./wire.ts";

/** xAI reports the cost of a request in ticks of 10^-10 US dollars. https://docs.x.ai/developers/cost-tracking */
const tickDecimals = 10;

/** Converts a server's token counts, and its cost if it reports one. The output tokens include the reasoning tokens. */
export function toUsage(usage: ChunkUsage): Usage {
  const input = usage.prompt_tokens ?? 0;
  const { prompt_tokens_details: inputDetails, completion_tokens_details: details } = usage;
  const reported = details?.reasoning_tokens ?? usage.reasoning_tokens;
  const reasoning = reported ?? 0;
  const visible = usage.completion_tokens ?? 0;
  // xAI's completion tokens exclude reasoning tokens. Assume this of any server with fewer completion
  // tokens than reasoning tokens, or with a total that is the sum of prompt, completion and reasoning tokens.
  const isSeparate = reasoning > visible || (reasoning > 0 && usage.total_tokens === input + visible + reasoning);
  return exactUsage(input, isSeparate ? visible + reasoning : visible, {
    cachedInputTokens: inputDetails?.cached_tokens ?? usage.prompt_cache_hit_tokens,
    cacheWriteInputTokens: inputDetails?.cache_write_tokens,
    audioInputTokens: inputDetails?.audio_tokens,
    audioOutputTokens: details?.audio_tokens,
    reasoningTokens: reported,
    acceptedPredictionTokens: details?.accepted_prediction_tokens,
    rejectedPredictionTokens: details?.rejected_prediction_tokens,
    cost: costOf(usage),
  });
}

function costOf({ estimated_cost, cost, cost_in_usd_ticks: ticks }: ChunkUsage): Cost | undefined {
  return providerCost(estimated_cost ?? cost) ?? providerCost(ticks, tickDecimals);
}

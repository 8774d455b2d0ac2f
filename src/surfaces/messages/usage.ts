import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";

/** Fields of `usage` that no provider has reported. Anthropic's types require them. */
const unknown = {
  cache_creation: null,
  inference_geo: null,
  server_tool_use: null,
  service_tier: null,
  speed: null,
  output_tokens_details: null,
};

/** Usage at the beginning of a stream, when no provider has reported it. */
export const noUsage = {
  ...unknown,
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};

/** Returns Anthropic's usage, whose input tokens exclude those that were read from the prompt cache or written to it. */
export function toUsage(usage: Usage | undefined, serviceTier: string): object {
  return { ...unknown, ...toTotals(usage), service_tier: toServiceTier(serviceTier), ...cacheCreation(usage) };
}

/** Returns the counts that the last event of a stream has. */
export function toTotals(usage: Usage | undefined): object {
  if (usage === undefined) return noUsage;
  const { inputTokens, cachedInputTokens = 0, cacheWriteInputTokens = 0, outputTokens, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, inputTokens - cachedInputTokens - cacheWriteInputTokens),
    cache_creation_input_tokens: cacheWriteInputTokens,
    cache_read_input_tokens: cachedInputTokens,
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: toServerToolUse(usage),
  };
}

function cacheCreation(usage: Usage | undefined): object {
  const { cacheWriteInputTokens: all, cacheWrite1hInputTokens: hour = 0 } = usage ?? {};
  if (all === undefined) return {};
  return {
    cache_creation: { ephemeral_5m_input_tokens: Math.max(0, all - hour), ephemeral_1h_input_tokens: hour },
  };
}

/** Returns the counts of tools that Anthropic's API has. Other providers name theirs in other ways. */
function toServerToolUse({ serverToolRequests }: Usage): object | null {
  const own = Object.entries(serverToolRequests).filter(([name]) => name.endsWith("_requests"));
  return own.length === 0 ? null : { web_search_requests: 0, web_fetch_requests: 0, ...Object.fromEntries(own) };
}

const tiers: Readonly<Record<string, string>> = {
  standard: "standard",
  priority: "priority",
  batch: "batch",
  default: "standard",
};

/** Returns the tier in Anthropic's words; null for a tier that they do not have. */
function toServiceTier(tier: string): string | null {
  return Object.hasOwn(tiers, tier) ? (tiers[tier] ?? null) : null;
}

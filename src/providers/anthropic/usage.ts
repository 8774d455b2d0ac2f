import { createUsageReader } from "../kit/usage-reader.ts";

/** Usage of the Messages API: its input count excludes cache reads and writes. Source: @anthropic-ai/sdk 1.11.0. */
export const anthropicUsage = createUsageReader({
  counts: {
    inputTokens: ["input_tokens"],
    outputTokens: ["output_tokens"],
    cachedInputTokens: ["cache_read_input_tokens"],
    cacheWriteInputTokens: [
      "cache_creation_input_tokens",
      ["cache_creation.ephemeral_5m_input_tokens", "cache_creation.ephemeral_1h_input_tokens"],
    ],
    cacheWrite1hInputTokens: ["cache_creation.ephemeral_1h_input_tokens"],
    reasoningTokens: ["output_tokens_details.thinking_tokens"],
  },
  besideInput: ["cachedInputTokens", "cacheWriteInputTokens"],
  toolMaps: ["server_tool_use"],
  // `inference_geo` and `speed` repeat the request. The service tier has a field of its own.
  silent: ["service_tier", "inference_geo", "speed"],
});

import { createUsageReader } from "../kit/usage-reader.ts";

/**
 * Usage of Chat Completions: OpenAI's names. Servers add names of their own, which have a comment, or use those of
 * other APIs: `input_tokens` and `output_tokens` with their details are names of OpenAI's Responses API.
 */
export const chatUsage = createUsageReader({
  counts: {
    inputTokens: ["prompt_tokens", "input_tokens", ["prompt_cache_hit_tokens", "prompt_cache_miss_tokens"]],
    outputTokens: ["completion_tokens", "output_tokens"],
    totalTokens: ["total_tokens"],
    cachedInputTokens: [
      "prompt_tokens_details.cached_tokens",
      "input_tokens_details.cached_tokens",
      // DeepSeek.
      "prompt_cache_hit_tokens",
      // Mistral.
      "num_cached_tokens",
      // Moonshot.
      "cached_tokens",
      // Claude models behind proxies.
      "cache_read_input_tokens",
    ],
    cacheWriteInputTokens: [
      "prompt_tokens_details.cache_write_tokens",
      "input_tokens_details.cache_write_tokens",
      // Claude models behind proxies.
      "prompt_tokens_details.cache_creation_tokens",
      "prompt_tokens_details.cache_creation_input_tokens",
      "cache_creation_input_tokens",
    ],
    cacheWrite1hInputTokens: ["cache_creation.ephemeral_1h_input_tokens"],
    reasoningTokens: [
      "completion_tokens_details.reasoning_tokens",
      "output_tokens_details.reasoning_tokens",
      // Azure for DeepSeek models, and Perplexity.
      "reasoning_tokens",
    ],
    acceptedPredictionTokens: ["completion_tokens_details.accepted_prediction_tokens"],
    rejectedPredictionTokens: ["completion_tokens_details.rejected_prediction_tokens"],
    audioInputTokens: ["prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens"],
    audioOutputTokens: ["completion_tokens_details.audio_tokens", "output_tokens_details.audio_tokens"],
    imageInputTokens: [
      "prompt_tokens_details.image_tokens",
      "input_tokens_details.image_tokens",
      // Cerebras, whose models have only images of the prompt.
      "image_tokens",
    ],
    imageOutputTokens: ["completion_tokens_details.image_tokens", "output_tokens_details.image_tokens"],
  },
  silent: [
    // The rest of a count whose other parts are read.
    ...["completion_tokens_details.text_tokens", "prompt_tokens_details.text_tokens"],
    // Read elsewhere: Groq's times, and Mistral's tier and seconds of audio.
    ...["queue_time", "prompt_time", "completion_time", "total_time", "service_tier", "prompt_audio_seconds"],
  ],
  toolMaps: ["server_tool_use", "server_side_tool_usage_details"],
  // Perplexity and xAI.
  tools: ["num_search_queries", "num_sources_used"],
  costs: [
    // DeepInfra, in US dollars.
    { place: "estimated_cost", decimals: 0 },
    // OpenRouter, in credits; one credit is one US dollar.
    { place: "cost", decimals: 0 },
    // Perplexity, in US dollars.
    { place: "cost.total_cost", decimals: 0 },
    // xAI, in ticks of 10^-10 US dollars. https://docs.x.ai/developers/cost-tracking
    { place: "cost_in_usd_ticks", decimals: 10 },
  ],
});

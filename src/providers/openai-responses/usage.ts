import { createUsageReader } from "../kit/usage-reader.ts";

/** Usage of the Responses API. `web_search_requests` is not OpenAI's: response-facts.ts adds it. */
export const responsesUsage = createUsageReader({
  counts: {
    inputTokens: ["input_tokens"],
    outputTokens: ["output_tokens"],
    totalTokens: ["total_tokens"],
    cachedInputTokens: ["input_tokens_details.cached_tokens"],
    cacheWriteInputTokens: ["input_tokens_details.cache_write_tokens"],
    reasoningTokens: ["output_tokens_details.reasoning_tokens"],
    audioInputTokens: ["input_tokens_details.audio_tokens"],
    audioOutputTokens: ["output_tokens_details.audio_tokens"],
    imageInputTokens: ["input_tokens_details.image_tokens"],
    imageOutputTokens: ["output_tokens_details.image_tokens"],
  },
  tools: ["web_search_requests"],
  // The rest of counts whose other parts are read.
  silent: ["input_tokens_details.text_tokens", "output_tokens_details.text_tokens"],
});

import type { Dialect } from "../dialect.ts";
import { leftOut, sentByOpenAiNames, usageOf } from "../fixtures/chat-completions.ts";
import { includeUsage, openAiError, serverDialect } from "../fixtures/chat-completions-server.ts";

const { presence_penalty: _, frequency_penalty: __, stop: ___, ...reasoningFields } = sentByOpenAiNames;

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "xai",
    model: "grok-4.5",
    stops: { why: "xAI's reasoning models do not support stop sequences" },
    wire: {
      usagePlace: "last chunk",
      usage: {
        prompt_tokens: 12,
        completion_tokens: 1,
        total_tokens: 303,
        prompt_tokens_details: { text_tokens: 12, cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 290 },
      },
      last: { citations: [] },
    },
    usage: usageOf(12, 291, { cachedInputTokens: 2, reasoningTokens: 290 }),
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      {
        name: "an error without an error object",
        status: 400,
        body: { code: "invalid argument", error: "No." },
        reason: "INVALID_REQUEST",
      },
      openAiError("an unknown model", 404, "MODEL_NOT_FOUND"),
      openAiError("a rate limit", 429, "PROVIDER_RATE_LIMITED"),
    ],
    // Grok reasons since version 4, and then has neither penalties nor stop sequences.
    sent: {
      ...reasoningFields,
      max_completion_tokens: 100,
      n: 2,
      reasoning_effort: "high",
      parallel_tool_calls: false,
      user: "user-1",
      stream_options: includeUsage,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.repetition_penalty",
      "parameters.logit_bias",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "chat_template_kwargs",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
      "parameters.stop_sequences",
    ),
  }),
];

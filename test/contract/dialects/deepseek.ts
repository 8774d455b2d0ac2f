import type { Dialect } from "../dialect.ts";
import { answer, leftOut, plainUsage, usageOf } from "../fixtures/chat-completions.ts";
import { includeUsage, openAiError, serverDialect } from "../fixtures/chat-completions-server.ts";
import { chatCompletion } from "../whole/chat-completion.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "deepseek",
    model: "deepseek-v4-pro",
    stops: { field: "stop", max: 16 },
    wire: {
      usagePlace: "finish chunk",
      prefix: ": keep-alive\n\n",
      usage: {
        ...plainUsage,
        prompt_cache_hit_tokens: 3,
        prompt_cache_miss_tokens: 6,
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    },
    usage: usageOf(9, 5, { cachedInputTokens: 3, reasoningTokens: 2 }),
    reasoning: (reasoning_content) => ({ reasoning_content, content: null }),
    replayed: { reasoning_content: "Hm." },
    // DeepSeek sends empty lines while the request is queued: https://api-docs.deepseek.com/quick_start/rate_limit
    whole: chatCompletion({ prefix: "\n\n" }),
    failures: [
      {
        name: "insufficient system resources",
        wire: answer({ usagePlace: "finish chunk" }, [{ content: "Hi" }], "insufficient_system_resource"),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [
      openAiError("an empty balance", 402, "PROVIDER_QUOTA_EXHAUSTED"),
      openAiError("an unknown model", 400, "MODEL_NOT_FOUND", "invalid_request_error", {
        body: { error: { message: "Model Not Exist", type: "invalid_request_error", code: "invalid_request_error" } },
      }),
      openAiError("an invalid parameter", 422, "INVALID_REQUEST"),
      openAiError("a rate limit", 429, "PROVIDER_RATE_LIMITED"),
      openAiError("an overload", 503, "PROVIDER_UNAVAILABLE"),
    ],
    sent: {
      max_tokens: 100,
      stop: ["END"],
      thinking: { type: "enabled" },
      reasoning_effort: "high",
      user_id: "user-1",
      stream_options: includeUsage,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.unsigned_seed",
      "parameters.repetition_penalty",
      "parameters.logit_bias",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "chat_template_kwargs",
      "parameters.temperature",
      "parameters.top_p",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
    ),
  }),
];

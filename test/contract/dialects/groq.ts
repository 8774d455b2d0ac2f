import type { Dialect } from "../dialect.ts";
import { leftOut, plainUsage, sentByOpenAiNames } from "../fixtures/chat-completions.ts";
import { openAiError, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "groq",
    model: "openai/gpt-oss-120b",
    wire: { usagePlace: "x_groq", usage: { ...plainUsage, queue_time: 0.01, total_time: 0.2 } },
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning: "Hm." },
    errors: [
      openAiError("an invalid tool call from the model", 400, "TOOL_CALL_INVALID", "tool_use_failed"),
      {
        name: "invalid JSON from the model",
        status: 400,
        body: { error: { message: "No.", type: "x", code: "json_validate_failed", failed_generation: "{a" } },
        reason: "JSON_GENERATION_FAILED",
      },
      openAiError("a large request", 413, "INVALID_REQUEST"),
      openAiError("no capacity for the flex tier", 498, "PROVIDER_UNAVAILABLE", "capacity_exceeded"),
      openAiError("a rate limit", 429, "PROVIDER_RATE_LIMITED", "rate_limit_exceeded", {
        headers: { "retry-after": "2" },
        retryAfterMs: 2000,
      }),
    ],
    sent: {
      temperature: 0.7,
      top_p: 0.9,
      stop: ["END"],
      seed: sentByOpenAiNames.seed,
      max_completion_tokens: 100,
      reasoning_effort: "high",
      parallel_tool_calls: false,
      service_tier: "flex",
      user: "user-1",
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
      "parameters.repetition_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
      "parameters.logit_bias",
      "prediction",
      "prompt_cache_key",
      "chat_template_kwargs",
    ),
  }),
];

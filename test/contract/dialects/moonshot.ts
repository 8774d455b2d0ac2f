import type { Dialect, ErrorCase } from "../dialect.ts";
import { leftOut, plainUsage, usageOf } from "../fixtures/chat-completions.ts";
import { includeUsage, serverDialect } from "../fixtures/chat-completions-server.ts";

/** Makes an error case. Moonshot's errors have no code; the type identifies the error. */
const moonshotError = (
  name: string,
  status: number,
  type: string,
  reason: ErrorCase["reason"],
  { message = "No." } = {},
): ErrorCase => ({ name, status, body: { error: { message, type } }, reason, code: type });

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "moonshot",
    model: "kimi-k3",
    stops: { field: "stop", max: 5, maxBytes: 32 },
    wire: {
      usagePlace: "last chunk",
      usage: {
        ...plainUsage,
        cached_tokens: 3,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    },
    usage: usageOf(9, 5, { cachedInputTokens: 3, reasoningTokens: 2 }),
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      moonshotError("a long prompt", 400, "invalid_request_error", "CONTEXT_LENGTH_EXCEEDED", {
        message: "Your request exceeded model token limit: 1048576",
      }),
      moonshotError("a forced tool choice", 400, "invalid_request_error", "INVALID_REQUEST"),
      moonshotError("an invalid API key", 401, "incorrect_api_key_error", "PROVIDER_CREDENTIALS_REJECTED"),
      moonshotError("an unknown model", 404, "resource_not_found_error", "MODEL_NOT_FOUND"),
      moonshotError("an empty balance", 429, "exceeded_current_quota_error", "PROVIDER_QUOTA_EXHAUSTED"),
      moonshotError("a rate limit", 429, "rate_limit_reached_error", "PROVIDER_RATE_LIMITED"),
      moonshotError("an overload", 429, "engine_overloaded_error", "PROVIDER_UNAVAILABLE"),
      moonshotError("an internal error", 500, "server_error", "PROVIDER_UNAVAILABLE"),
    ],
    sent: {
      max_completion_tokens: 100,
      stop: ["END"],
      reasoning_effort: "high",
      prompt_cache_key: "key-1",
      safety_identifier: "user-1",
      stream_options: includeUsage,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.unsigned_seed",
      "parameters.repetition_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
      "parameters.logit_bias",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "chat_template_kwargs",
      "parameters.temperature",
      "parameters.top_p",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
    ),
  }),
];

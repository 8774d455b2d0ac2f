import type { Dialect } from "../dialect.ts";
import { answer, leftOut, means, plainUsage, sentByOpenAiNames, text, thought } from "../fixtures/chat-completions.ts";
import { openAiError, serverDialect } from "../fixtures/chat-completions-server.ts";

const searched = { index: 0, type: "search", arguments: '{"query":"q"}' };
const ours = <Kind extends object>(kind: Kind) => ({
  kind,
  providerState: { provider: "groq", model: "openai/gpt-oss-120b" },
});

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "groq",
    model: "openai/gpt-oss-120b",
    ownTools: [{ type: "browser_search" }, { type: "code_interpreter" }],
    stops: { field: "stop", max: 4 },
    wire: { usagePlace: "x_groq", usage: { ...plainUsage, queue_time: 0.01, total_time: 0.2 } },
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning: "Hm." },
    answers: {
      "a tool that the provider runs": {
        // A stream sends each tool again when it has the result.
        wire: answer(
          { usagePlace: "x_groq" },
          [
            { reasoning: "Hm." },
            { executed_tools: [searched] },
            { executed_tools: [{ ...searched, output: "found", search_results: { results: [{ url: "u" }] } }] },
            { content: "Hi" },
          ],
          "stop",
        ),
        completion: means([
          thought("Hm."),
          ours({ case: "serverToolCall", value: { name: "search", inputJson: '{"query":"q"}' } }),
          ours({
            case: "serverToolResult",
            value: { outputJson: '{"output":"found","search_results":{"results":[{"url":"u"}]}}' },
          }),
          text("Hi"),
        ]),
      },
    },
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

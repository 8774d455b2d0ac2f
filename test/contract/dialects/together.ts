import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import type { Dialect } from "../dialect.ts";
import { answer, event, leftOut, means, text } from "../fixtures/chat-completions.ts";
import { openAiError, openModelFields, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "together",
    model: "deepseek-ai/DeepSeek-V3.1",
    wire: { usagePlace: "finish chunk", envelope: { warnings: [] } },
    finish: "eos",
    reasoning: (reasoning) => ({ reasoning, reasoning_content: reasoning, content: "" }),
    replayed: { reasoning_content: "Hm." },
    answers: {
      "log probabilities": {
        request: { parameters: { logprobs: true } },
        wire: [
          event({ choices: [{ index: 0, delta: { content: "Hi", token_id: 7 }, logprobs: -0.25 }] }),
          answer({ usagePlace: "finish chunk" }, [], "eos"),
        ].join(""),
        // `logprobs` has lists in a whole response, but is a number in a chunk (LogProbs of together-ai 0.52.0).
        whole: JSON.stringify({
          object: "chat.completion",
          choices: [
            {
              index: 0,
              message: { role: "assistant", content: "Hi", tool_calls: [] },
              logprobs: { token_ids: [7], tokens: ["Hi"], token_logprobs: [-0.25] },
              finish_reason: "eos",
            },
          ],
        }),
        completion: means([text("Hi")], [FinishReason.STOP, "eos"], {
          choice: { logprobs: { tokens: [{ token: "Hi", logprob: -0.25 }] } },
        }),
      },
    },
    errors: [
      openAiError("a long prompt", 403, "CONTEXT_LENGTH_EXCEEDED"),
      openAiError("an exceeded spending limit", 402, "PROVIDER_QUOTA_EXHAUSTED"),
      { name: "an error as a string", status: 429, body: { error: "slow down" }, reason: "PROVIDER_RATE_LIMITED" },
      openAiError("an unknown model", 404, "MODEL_NOT_FOUND", "model_not_available"),
      openAiError("an overload", 503, "PROVIDER_UNAVAILABLE"),
    ],
    sent: {
      ...openModelFields,
      logprobs: 3,
      top_logprobs: undefined,
      max_tokens: 100,
      n: 2,
      reasoning_effort: "high",
      chat_template_kwargs: { enable_thinking: false },
      context_length_exceeded_behavior: "error",
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
    ),
  }),
];

import type { Dialect } from "../dialect.ts";
import { answer, leftOut, means, text } from "../fixtures/chat-completions.ts";
import { cited } from "../fixtures/chat-completions-answers.ts";
import { openAiError, serverDialect } from "../fixtures/chat-completions-server.ts";
import { chatCompletion } from "../whole/chat-completion.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "perplexity",
    model: "sonar-pro",
    stops: { why: "Perplexity has no stop sequences" },
    // Each chunk also contains the message so far.
    wire: { usagePlace: "every chunk", choice: { message: { role: "assistant", content: "whole" } } },
    // Perplexity's OpenAPI requires both `message` and `delta` in a choice. In whole responses the delta is empty.
    whole: chatCompletion({ choice: { delta: { role: "assistant", content: "" } } }),
    replayed: {},
    conversation: { why: "Perplexity has no tools" },
    answers: {
      "sources without a position": {
        // Every chunk repeats the lists. `search_results` has more of each source than `citations`.
        wire: answer(
          {
            usagePlace: "every chunk",
            envelope: {
              citations: ["https://a.example", "https://b.example"],
              search_results: [{ title: "A", url: "https://a.example", date: "2026-01-02", snippet: "s" }],
              images: [{ image_url: "https://a.example/i.png", origin_url: "https://a.example" }],
              related_questions: ["Why?"],
            },
          },
          [{ content: "H" }, { content: "i" }],
          "stop",
        ),
        completion: {
          ...means([text("Hi")], undefined, {
            choice: {
              sources: [cited("A", {}, "s"), { source: { case: "url", value: { url: "https://b.example" } } }],
            },
          }),
          providerMetadataJson: JSON.stringify({
            images: [{ image_url: "https://a.example/i.png", origin_url: "https://a.example" }],
            related_questions: ["Why?"],
            search_results: [{ title: "A", url: "https://a.example", date: "2026-01-02", snippet: "s" }],
            model: "m",
          }),
        },
      },
    },
    errors: [
      openAiError("an invalid API key", 401, "PROVIDER_CREDENTIALS_REJECTED"),
      openAiError("an unknown model", 400, "MODEL_NOT_FOUND", "invalid_model"),
    ],
    request: { tools: [], toolChoice: undefined },
    sent: {
      temperature: 0.7,
      top_p: 0.9,
      top_k: 40,
      presence_penalty: 0.1,
      frequency_penalty: -0.2,
      max_tokens: 100,
      reasoning_effort: "high",
      tools: undefined,
      tool_choice: undefined,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.min_p",
      "parameters.stop_sequences",
      "parameters.unsigned_seed",
      "parameters.repetition_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
      "parameters.logit_bias",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
      "chat_template_kwargs",
    ),
  }),
];

import type { Dialect } from "../dialect.ts";
import { leftOut } from "../fixtures/chat-completions.ts";
import { autoChoice, openAiError, ownServer, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "llamacpp",
    model: "qwen3",
    wire: { usagePlace: "last chunk", last: { timings: { predicted_n: 5 } } },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      {
        name: "a long prompt",
        status: 400,
        body: { error: { code: 400, message: "No.", type: "exceed_context_size_error", n_prompt_tokens: 9, n_ctx: 8 } },
        reason: "CONTEXT_LENGTH_EXCEEDED",
      },
      openAiError("a model that is still loading", 503, "PROVIDER_UNAVAILABLE"),
    ],
    request: { toolChoice: autoChoice },
    sent: { ...ownServer, repetition_penalty: undefined, repeat_penalty: 1.1, max_tokens: 100, tool_choice: "auto" },
    adaptations: leftOut("parameters.min_output_tokens", "prediction", "service_tier", "prompt_cache_key", "user"),
  }),
];

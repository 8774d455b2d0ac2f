import type { Dialect } from "../dialect.ts";
import { leftOut, sentByOpenAiNames } from "../fixtures/chat-completions.ts";
import { autoChoice, includeUsage, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "ollama",
    model: "qwen3",
    wire: { usagePlace: "last chunk" },
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning: "Hm." },
    errors: [
      {
        name: "a missing model",
        status: 404,
        body: { error: { message: "No.", type: "not_found_error", param: null, code: null } },
        reason: "MODEL_NOT_FOUND",
      },
    ],
    request: { toolChoice: autoChoice },
    sent: {
      ...sentByOpenAiNames,
      max_tokens: 100,
      reasoning_effort: "high",
      stream_options: includeUsage,
      tool_choice: undefined,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.repetition_penalty",
      "parameters.logit_bias",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
      "chat_template_kwargs",
    ),
  }),
];

import type { Dialect } from "../dialect.ts";
import { leftOut, sentByOpenAiNames } from "../fixtures/chat-completions.ts";
import { autoChoice, includeUsage, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "lmstudio",
    model: "qwen3",
    wire: { usagePlace: "last chunk" },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [{ name: "an error as a string", status: 400, body: { error: "No." }, reason: "INVALID_REQUEST" }],
    request: { toolChoice: autoChoice },
    sent: {
      ...sentByOpenAiNames,
      top_k: 40,
      logit_bias: { 50256: -100 },
      repeat_penalty: 1.1,
      max_tokens: 100,
      reasoning_effort: "high",
      tool_choice: "auto",
      stream_options: includeUsage,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.min_p",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
      "chat_template_kwargs",
    ),
  }),
];

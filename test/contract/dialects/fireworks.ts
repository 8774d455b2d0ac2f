import type { Dialect } from "../dialect.ts";
import { leftOut } from "../fixtures/chat-completions.ts";
import { openModelFields, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "fireworks",
    model: "accounts/fireworks/models/gpt-oss-120b",
    stops: { field: "stop", max: 4 },
    wire: { usagePlace: "finish chunk", last: { perf_metrics: {} } },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      {
        name: "a gateway error",
        status: 500,
        body: { fault: { faultstring: "No.", detail: { errorcode: "x" } } },
        reason: "PROVIDER_UNAVAILABLE",
      },
      {
        name: "an invalid field",
        status: 422,
        body: { detail: [{ loc: ["body"], msg: "No." }] },
        reason: "INVALID_REQUEST",
      },
      { name: "a suspended account", status: 412, body: { error: "No." }, reason: "PROVIDER_QUOTA_EXHAUSTED" },
    ],
    sent: {
      ...openModelFields,
      seed: undefined,
      max_tokens: 100,
      n: 2,
      reasoning_effort: "high",
      service_tier: "flex",
      prompt_cache_key: "key-1",
      user: "user-1",
      context_length_exceeded_behavior: "error",
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.unsigned_seed",
      "parallel_tool_calls",
      "prediction",
      "chat_template_kwargs",
    ),
  }),
];

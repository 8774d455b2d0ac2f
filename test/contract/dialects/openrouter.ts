import { providerCost } from "../../../src/providers/kit/usage.ts";
import type { Dialect } from "../dialect.ts";
import {
  answer,
  deltaEvent,
  done,
  event,
  leftOut,
  means,
  plainUsage,
  thought,
  usageOf,
} from "../fixtures/chat-completions.ts";
import { includeUsage, openModelFields, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "openrouter",
    model: "anthropic/claude-sonnet-4.5",
    wire: { usagePlace: "last chunk", prefix: ": OPENROUTER PROCESSING\n\n", usage: { ...plainUsage, cost: 0.1 } },
    usage: usageOf(9, 5, { cost: providerCost(0.1) }),
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning: "Hm." },
    answers: {
      "reasoning with a signature": {
        wire: answer(
          { usagePlace: "last chunk" },
          [{ reasoning: "Hm.", reasoning_details: [{ type: "reasoning.text", text: "Hm.", signature: "s" }] }],
          "stop",
        ),
        completion: means([
          {
            ...thought("Hm."),
            providerState: {
              provider: "openrouter",
              model: "anthropic/claude-sonnet-4.5",
              data: Buffer.from('[{"type":"reasoning.text","text":"Hm.","signature":"s"}]\n'),
            },
          },
        ]),
      },
    },
    failures: [
      {
        name: "an error, a finish reason and [DONE]",
        wire: [
          deltaEvent({ usagePlace: "last chunk" }, { content: "Hi" }),
          event({ error: { code: 502, message: "gone" }, choices: [{ index: 0, delta: {}, finish_reason: "error" }] }),
          event({ choices: [], usage: plainUsage }),
          done,
        ].join(""),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [
      {
        name: "an error with HTTP 200",
        status: 200,
        headers: { "content-type": "application/json" },
        body: { error: { code: 502, message: "gone", metadata: { provider_name: "Z" } } },
        reason: "PROVIDER_UNAVAILABLE",
      },
      {
        name: "no credits",
        status: 402,
        body: { error: { code: 402, message: "No." } },
        reason: "PROVIDER_QUOTA_EXHAUSTED",
      },
      {
        name: "a moderation block",
        status: 403,
        body: { error: { code: 403, message: "No.", metadata: { reasons: ["violence"] } } },
        reason: "PROVIDER_PERMISSION_DENIED",
      },
      {
        name: "a rate limit",
        status: 429,
        headers: { "retry-after": "5" },
        body: { error: { code: 429, message: "No." } },
        reason: "PROVIDER_RATE_LIMITED",
        retryAfterMs: 5000,
      },
    ],
    sent: {
      ...openModelFields,
      max_completion_tokens: 100,
      reasoning: { effort: "high" },
      parallel_tool_calls: false,
      service_tier: "flex",
      prompt_cache_key: "key-1",
      user: "user-1",
      prediction: { type: "content", content: "Rain." },
      stream_options: includeUsage,
    },
    adaptations: leftOut("parameters.min_output_tokens", "chat_template_kwargs"),
  }),
];

import type { Dialect } from "../dialect.ts";
import { answer, leftOut, means, text } from "../fixtures/chat-completions.ts";
import { openAiError, ownServer, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "sglang",
    model: "qwen3",
    wire: { usagePlace: "last chunk", choice: { matched_stop: null } },
    reasoning: (reasoning_content) => ({ reasoning_content, tool_calls: null }),
    replayed: { reasoning_content: "Hm." },
    answers: {
      "a matched stop sequence": {
        wire: answer({ usagePlace: "last chunk" }, [{ content: "Hi" }], "stop", { matched_stop: "END" }),
        completion: means([text("Hi")], undefined, { choice: { matchedStopSequence: "END" } }),
      },
    },
    failures: [
      {
        name: "the finish reason abort",
        wire: answer({ usagePlace: "last chunk" }, [{ content: "Hi" }], "abort"),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [openAiError("a full queue", 503, "PROVIDER_UNAVAILABLE")],
    sent: { ...ownServer, max_completion_tokens: 100, min_tokens: 2, n: 2 },
    adaptations: leftOut("prediction", "service_tier", "prompt_cache_key", "user"),
  }),
];

import type { Dialect } from "../dialect.ts";
import { answer, deltaEvent, done, leftOut, means, text } from "../fixtures/chat-completions.ts";
import { openAiError, ownServer, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "vllm",
    model: "qwen3",
    wire: { usagePlace: "last chunk", choice: { stop_reason: null, token_ids: null } },
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning_content: "Hm." },
    answers: {
      "a matched stop sequence": {
        wire: answer({ usagePlace: "last chunk" }, [{ content: "Hi" }], "stop", { stop_reason: "END" }),
        completion: means([text("Hi")], undefined, { choice: { matchedStopSequence: "END" } }),
      },
    },
    failures: [
      {
        name: "an error with a numeric code and [DONE]",
        wire: `${deltaEvent({ usagePlace: "last chunk" }, { content: "Hi" })}data: {"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}\n\n${done}`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [
      {
        name: "the old format without an error object",
        status: 400,
        body: { object: "error", message: "No.", type: "BadRequestError", param: null, code: 400 },
        reason: "INVALID_REQUEST",
      },
      {
        name: "an invalid API key",
        status: 401,
        body: { error: "Unauthorized" },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
      },
      openAiError("an unknown model", 404, "MODEL_NOT_FOUND"),
    ],
    sent: { ...ownServer, max_completion_tokens: 100, min_tokens: 2, n: 2 },
    adaptations: leftOut("prediction", "service_tier", "prompt_cache_key", "user"),
  }),
];

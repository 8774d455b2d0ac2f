import type { Dialect } from "../dialect.ts";
import { leftOut } from "../fixtures/chat-completions.ts";
import { ownServer, serverDialect } from "../fixtures/chat-completions-server.ts";

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "chat-completions",
    model: "qwen3",
    wire: { usagePlace: "last chunk" },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      { name: "an error as a string", status: 400, body: { error: "No." }, reason: "INVALID_REQUEST" },
      { name: "a wrong URL", status: 404, body: { detail: "Not Found" }, reason: "PROVIDER_FAULT" },
    ],
    sent: { ...ownServer, max_tokens: 100, n: 2, user: "user-1" },
    adaptations: leftOut("parameters.min_output_tokens", "prediction", "service_tier", "prompt_cache_key"),
  }),
];

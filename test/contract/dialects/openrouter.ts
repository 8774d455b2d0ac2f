import { providerCost } from "../../../src/providers/kit/usage.ts";
import type { Dialect } from "../dialect.ts";
import {
  answer,
  deltaEvent,
  done,
  event,
  leftOut,
  means,
  media,
  plainUsage,
  text,
  thought,
  usageOf,
} from "../fixtures/chat-completions.ts";
import { cited } from "../fixtures/chat-completions-answers.ts";
import { includeUsage, openModelFields, serverDialect } from "../fixtures/chat-completions-server.ts";
import { chatConversation } from "../fixtures/conversations.ts";

const model = "anthropic/claude-sonnet-4.5";
const page = {
  type: "url_citation",
  url_citation: { url: "https://a.example", title: "A", content: "c", start_index: 0, end_index: 2 },
};
const file = { type: "file", file: { hash: "h1", name: "a.pdf", content: [{ type: "text", text: "Parsed." }] } };

export const dialects: readonly Dialect[] = [
  serverDialect({
    name: "openrouter",
    model: "anthropic/claude-sonnet-4.5",
    ownTools: [{ type: "openrouter:web_search", parameters: { max_results: 3 } }],
    stops: { field: "stop", max: 4, rejectsBlank: true },
    wire: { usagePlace: "last chunk", prefix: ": OPENROUTER PROCESSING\n\n", usage: { ...plainUsage, cost: 0.1 } },
    usage: usageOf(9, 5, { cost: providerCost(0.1) }),
    reasoning: (reasoning) => ({ reasoning }),
    // The rules of Claude, to which OpenRouter passes ids and texts on: BerriAI/litellm#23510
    conversation: chatConversation({ callId: /^[a-zA-Z0-9_-]{1,256}$/, uniqueIds: true, rejectedText: /^\s*$/ }),
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
      citations: {
        // OpenRouter adds the quoted text, and annotations of files that it parsed. They can come before the text.
        wire: answer(
          { usagePlace: "last chunk" },
          [{ annotations: [page] }, { content: "Hi" }, { annotations: [file] }],
          "stop",
        ),
        whole: JSON.stringify({
          choices: [{ index: 0, message: { content: "Hi", annotations: [file, page] }, finish_reason: "stop" }],
        }),
        completion: means([
          {
            ...text("Hi"),
            citations: [
              {
                source: { case: "document", value: { title: "a.pdf", fileId: "h1" } },
                providerState: { provider: "openrouter", model, data: Buffer.from(JSON.stringify(file)) },
              },
              cited("A", { start: 0, end: 2 }, "c"),
            ],
          },
        ]),
      },
      "media in the response": {
        wire: answer(
          { usagePlace: "last chunk" },
          [
            { content: "Here:", images: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } }] },
            { images: [{ type: "image_url", index: 1, image_url: { url: "https://a.example/b.png" } }] },
          ],
          "stop",
        ),
        completion: means([
          text("Here:"),
          media({ source: { case: "data", value: Buffer.from("iVBORw0K", "base64") }, mediaType: "image/png" }),
          media({ source: { case: "url", value: "https://a.example/b.png" } }),
        ]),
      },
      "facts without a field": {
        wire: answer(
          {
            usagePlace: "last chunk",
            envelope: { provider: "Azure", model: "openai/gpt-5" },
            choice: { native_finish_reason: "end" },
          },
          [{ content: "H" }, { content: "i" }],
          "stop",
        ),
        completion: {
          ...means([text("Hi")], undefined, { choice: { providerMetadataJson: '{"native_finish_reason":"end"}' } }),
          providerMetadataJson: '{"provider":"Azure","model":"openai/gpt-5"}',
        },
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
      {
        name: "a free model's rate limit",
        status: 429,
        body: {
          error: {
            code: 429,
            message: "No.",
            metadata: { headers: { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "6s" } },
          },
        },
        reason: "PROVIDER_RATE_LIMITED",
        retryAfterMs: 6000,
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

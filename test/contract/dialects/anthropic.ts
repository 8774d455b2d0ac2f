import { create } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createAnthropicAdapter } from "../../../src/providers/anthropic/adapter.ts";
import { anthropicModels } from "../../../src/providers/anthropic/models.ts";
import { functionTool } from "../../support/tools.ts";
import type { AnswerCase, Dialect } from "../dialect.ts";
import { anthropicContent } from "../fixtures/anthropic-content.ts";
import { begin, type Event, end, json, more, sse, start, stop, text, tool } from "../fixtures/anthropic-wire.ts";
import { anthropicConversation } from "../fixtures/conversations.ts";

const [model] = anthropicModels.filter(({ id }) => id === "claude-sonnet-4-6");
if (model === undefined) throw new Error("the catalog lacks claude-sonnet-4-6");

const thought = (index: number, fragments: readonly string[], ...signature: readonly string[]): readonly Event[] => [
  begin(index, { type: "thinking", thinking: "", signature: "" }),
  ...fragments.map((thinking) => more(index, { type: "thinking_delta", thinking })),
  ...signature.map((piece) => more(index, { type: "signature_delta", signature: piece })),
  stop(index),
];

type Parts = NonNullable<NonNullable<NonNullable<AnswerCase["completion"]["choices"]>[number]["message"]>["parts"]>;

const said = (...parts: Parts) => ({ role: Role.ASSISTANT, parts });
const textPart = (value: string) => ({ kind: { case: "text" as const, value } });
const callPart = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});
const thoughtPart = (value: string, state?: string, redacted = false) => ({
  kind: { case: "reasoning" as const, value: { text: value, redacted } },
  ...(state !== undefined && {
    providerState: { provider: "anthropic", model: "claude-sonnet-4-6", data: Buffer.from(state) },
  }),
});
const answered = (finishReason: FinishReason, providerFinishReason: string, ...parts: Parts) => ({
  choices: [{ message: said(...parts), finishReason, providerFinishReason }],
});
const hello = answered(FinishReason.STOP, "end_turn", textPart("Hello"));

const error = (type: string, message = "no", details: object | null = null) => ({
  type: "error",
  error: { type, message, details },
  request_id: "req_1",
});
const midStream = (...events: readonly Event[]) => sse(start(), begin(0, { type: "text", text: "" }), ...events);
const hi = more(0, { type: "text_delta", text: "Hi" });

const everything = create(ChatRequestSchema, {
  model: model.id,
  messages: [
    { role: Role.SYSTEM, parts: [textPart("Be brief.")] },
    { role: Role.DEVELOPER, parts: [{ ...textPart("Use tools."), cacheHint: {} }] },
    {
      role: Role.USER,
      parts: [
        textPart("What is this?"),
        {
          kind: { case: "media", value: { source: { case: "data", value: Uint8Array.of(1) }, mediaType: "image/png" } },
        },
        { kind: { case: "media", value: { source: { case: "url", value: "https://a.example/b.jpg" } } } },
        {
          kind: {
            case: "media",
            value: {
              source: { case: "data", value: Uint8Array.of(2) },
              mediaType: "application/pdf",
              filename: "a.pdf",
            },
          },
        },
        {
          kind: {
            case: "media",
            value: { source: { case: "url", value: "https://a.example/c.pdf" }, mediaType: "application/pdf" },
          },
        },
        {
          kind: {
            case: "media",
            value: { source: { case: "data", value: Buffer.from("hé") }, mediaType: "text/plain" },
          },
          cacheHint: { ttl: { seconds: 60n } },
        },
      ],
    },
    {
      role: Role.ASSISTANT,
      parts: [
        thoughtPart("Look.", "sig"),
        thoughtPart("", "hidden", true),
        textPart("I look."),
        callPart("toolu_1", "look", '{"b":1,"a":[2]}'),
        callPart("toolu_2", "wait", ""),
      ],
    },
    {
      role: Role.TOOL,
      parts: [
        {
          kind: {
            case: "toolResult",
            value: {
              toolCallId: "toolu_1",
              parts: [
                textPart("seen"),
                {
                  kind: {
                    case: "media",
                    value: { source: { case: "data", value: Uint8Array.of(3) }, mediaType: "image/webp" },
                  },
                },
              ],
            },
          },
        },
      ],
    },
    {
      role: Role.TOOL,
      parts: [
        {
          kind: {
            case: "toolResult",
            value: { toolCallId: "toolu_2", parts: [textPart("broken")], isError: true },
          },
        },
      ],
    },
    { role: Role.USER, parts: [textPart("And?"), textPart("")] },
  ],
  parameters: { temperature: 0.7, topK: 40, maxOutputTokens: 2048, stopSequences: ["END"] },
  tools: [
    functionTool({
      name: "look",
      description: "Looks.",
      parametersJsonSchema: '{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"array"}}}',
      strict: true,
      cacheHint: { ttl: { seconds: 3600n } },
    }),
    functionTool({ name: "wait" }),
  ],
  toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } },
  parallelToolCalls: false,
  outputFormat: {
    format: {
      case: "jsonSchema",
      value: { name: "seen", description: "What is seen.", schemaJson: '{"type":"object"}' },
    },
  },
  reasoning: { control: { case: "effort", value: ReasoningEffort.NONE } },
  user: "u1",
  serviceTier: "standard_only",
  providerOptions: { anthropic: { inference_geo: "eu" } },
});

const asked = (fields: Exclude<Parameters<typeof create<typeof ChatRequestSchema>>[1], undefined>) =>
  create(ChatRequestSchema, {
    model: model.id,
    messages: [{ role: Role.USER, parts: [textPart("Hi")] }],
    ...fields,
  });

const serial = {
  choices: [
    {
      message: said(
        textPart("Both."),
        callPart("toolu_a", "weather", '{"city":"Oslo"}'),
        callPart("toolu_b", "weather", '{"city": "Rome"}'),
      ),
      finishReason: FinishReason.TOOL_CALLS,
      providerFinishReason: "tool_use",
    },
  ],
};

export const dialects: readonly Dialect[] = [
  {
    name: "anthropic",
    provenance: "types of @anthropic-ai/sdk 1.11.0, examples of platform.claude.com, fixtures of vercel/ai 2026-08-22",
    model,
    reader: "anthropic",
    conversation: anthropicConversation,
    stops: { field: "stop_sequences", rejectsBlank: true },
    whole: { why: "the adapter has no `complete`: it always streams" },
    create: (baseUrl) =>
      createAnthropicAdapter({
        name: "anthropic",
        dialect: "anthropic",
        baseUrl,
        apiKey: new Secret("sk-ant-test"),
        keys: [],
        headers: {},
        timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000 },
        maxConnections: 4,
        maxQueue: 16,
        options: {},
        variables: {},
      }),
    usage: {
      wire(...usages) {
        const [last = {}, ...earlier] = usages.toReversed();
        const repeats = earlier.map((usage): Event => ({ type: "message_delta", delta: {}, usage }));
        return sse(start(null), ...text(0, "Hi"), ...repeats.toReversed(), ...end("end_turn", {}, last));
      },
      names: {
        input: ["input_tokens"],
        output: ["output_tokens"],
        cached: ["cache_read_input_tokens"],
        written: ["cache_creation_input_tokens"],
        written1h: ["cache_creation.ephemeral_1h_input_tokens"],
        reasoning: ["output_tokens_details.thinking_tokens"],
      },
      excludesCache: true,
      tools: ["server_tool_use.web_search_requests", "server_tool_use.web_fetch_requests"],
    },
    answers: {
      "plain text": {
        wire: sse(start(), ...text(0, "Hel", "lo"), ...end("end_turn")),
        completion: { ...hello, serviceTier: "standard" },
      },
      "empty text": {
        wire: sse(start(), ...text(0), ...end("end_turn")),
        completion: answered(FinishReason.STOP, "end_turn"),
      },
      "two parallel tool calls with interleaved deltas": {
        wire: sse(
          start(),
          ...text(0, "Both."),
          begin(1, tool("toolu_a", "weather")),
          begin(2, tool("toolu_b", "weather")),
          more(1, json("")),
          more(1, json('{"city":')),
          more(2, json('{"city": "Ro')),
          more(1, json('"Oslo"}')),
          more(2, json('me"}')),
          stop(1),
          stop(2),
          ...end("tool_use"),
        ),
        completion: serial,
      },
      "a tool call without arguments": {
        wire: sse(start(), begin(0, tool("toolu_a", "now")), more(0, json("")), stop(0), ...end("tool_use")),
        completion: answered(FinishReason.TOOL_CALLS, "tool_use", callPart("toolu_a", "now", "{}")),
      },
      "two tool calls with one id": {
        wire: sse(
          start(),
          begin(0, tool("toolu_a", "look")),
          more(0, json('{"a":1}')),
          stop(0),
          begin(1, tool("toolu_a", "look")),
          more(1, json('{"b":2}')),
          stop(1),
          ...end("tool_use"),
        ),
        completion: {
          ...answered(
            FinishReason.TOOL_CALLS,
            "tool_use",
            callPart("toolu_a", "look", '{"a":1}'),
            callPart("toolu_a_2", "look", '{"b":2}'),
          ),
          warnings: [{ reason: "INFERRED" }],
        },
      },
      "an empty object before the arguments": {
        wire: sse(
          start(),
          begin(0, tool("toolu_a", "look")),
          more(0, json("{}")),
          more(0, json('{"x":')),
          more(0, json('"1"}')),
          stop(0),
          ...end("tool_use"),
        ),
        completion: answered(FinishReason.TOOL_CALLS, "tool_use", callPart("toolu_a", "look", '{"x":"1"}')),
      },
      "halves of a character in two deltas": {
        wire: sse(
          start(),
          ...thought(0, ["H\ud83d", "\ude00"]),
          ...text(1, "ok \ud83d", "\ude00! \ud83d"),
          begin(2, tool("toolu_a", "look")),
          more(2, json('{"x":"\ud83d')),
          more(2, json('\ude00"}')),
          stop(2),
          ...end("tool_use"),
        ),
        completion: answered(
          FinishReason.TOOL_CALLS,
          "tool_use",
          thoughtPart("H😀"),
          textPart("ok 😀! \ufffd"),
          callPart("toolu_a", "look", '{"x":"😀"}'),
        ),
      },
      "reasoning, then text": {
        wire: sse(start(), ...thought(0, ["925 / 5", " = 185"]), ...text(1, "185"), ...end("end_turn")),
        completion: answered(FinishReason.STOP, "end_turn", thoughtPart("925 / 5 = 185"), textPart("185")),
      },
      "reasoning with a signature": {
        wire: sse(start(), ...thought(0, ["Hm."], "EvQ", "BCk=="), ...thought(1, [], "only"), ...end("end_turn")),
        completion: answered(FinishReason.STOP, "end_turn", thoughtPart("Hm.", "EvQBCk=="), thoughtPart("", "only")),
      },
      "redacted reasoning": {
        wire: sse(start(), begin(0, { type: "redacted_thinking", data: "Eo8B" }), stop(0), ...end("end_turn")),
        completion: answered(FinishReason.STOP, "end_turn", thoughtPart("", "Eo8B", true)),
      },
      "a refusal": {
        wire: sse(
          start(),
          ...text(0, "I"),
          ...end("refusal", { stop_details: { type: "refusal", category: "cyber", explanation: null } }),
        ),
        completion: {
          choices: [
            {
              message: said(textPart("I")),
              finishReason: FinishReason.CONTENT_FILTER,
              providerFinishReason: "refusal",
              providerMetadataJson: '{"stop_details":{"type":"refusal","category":"cyber","explanation":null}}',
            },
          ],
        },
      },
      // The response has no content block.
      "a content filter": {
        wire: sse(start(), ...end("refusal")),
        completion: answered(FinishReason.CONTENT_FILTER, "refusal"),
      },
      "a length stop": {
        wire: sse(start(), ...text(0, "Hello"), ...end("model_context_window_exceeded")),
        completion: answered(FinishReason.LENGTH, "model_context_window_exceeded", textPart("Hello")),
      },
      "a matched stop sequence": {
        wire: sse(start(), ...text(0, "Hello"), ...end("stop_sequence", { stop_sequence: "END" })),
        completion: {
          choices: [
            {
              message: said(textPart("Hello")),
              finishReason: FinishReason.STOP,
              providerFinishReason: "stop_sequence",
              matchedStopSequence: "END",
            },
          ],
        },
      },
      // The counts of message_delta are cumulative and replace those of message_start.
      "usage in the last chunk": {
        wire: sse(
          start({ input_tokens: 43, output_tokens: 1 }),
          ...text(0, "Hello"),
          ...end("end_turn", {}, { input_tokens: 61, output_tokens: 9 }),
        ),
        completion: {
          ...hello,
          usage: { inputTokens: 61, outputTokens: 9, totalTokens: 70, quality: UsageQuality.EXACT },
        },
      },
      "usage on the finish chunk": {
        why: "message_delta has the finish reason and usage: see usage in the last chunk",
      },
      "usage split over two events": {
        wire: sse(
          start({ input_tokens: 12, cache_read_input_tokens: 3, output_tokens: 1 }),
          ...text(0, "Hello"),
          ...end("end_turn", {}, { input_tokens: null, output_tokens: 4 }),
        ),
        completion: {
          ...hello,
          usage: {
            inputTokens: 15,
            outputTokens: 4,
            totalTokens: 19,
            cachedInputTokens: 3,
            quality: UsageQuality.EXACT,
          },
        },
      },
      "no usage": {
        wire: sse(start(null), ...text(0, "Hello"), ...end("end_turn", {}, null)),
        completion: { ...hello, usage: undefined },
      },
      "cached, cache-write and reasoning tokens": {
        wire: sse(
          start({ input_tokens: 10, output_tokens: 1 }),
          ...text(0, "Hello"),
          ...end(
            "end_turn",
            {},
            {
              input_tokens: 10,
              cache_creation_input_tokens: 20,
              cache_creation: { ephemeral_5m_input_tokens: 12, ephemeral_1h_input_tokens: 8 },
              cache_read_input_tokens: 300,
              output_tokens: 50,
              output_tokens_details: { thinking_tokens: 40 },
              server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
            },
          ),
        ),
        completion: {
          ...hello,
          usage: {
            inputTokens: 330,
            outputTokens: 50,
            totalTokens: 380,
            cachedInputTokens: 300,
            cacheWriteInputTokens: 20,
            cacheWrite1hInputTokens: 8,
            serverToolRequests: { web_search_requests: 2, web_fetch_requests: 0 },
            reasoningTokens: 40,
            quality: UsageQuality.EXACT,
          },
        },
      },
      "log probabilities": { why: "Anthropic returns no log probabilities" },
      citations: anthropicContent.answers.citations,
      "sources without a position": { why: "Anthropic has no such list" },
      "media in the response": { why: "Anthropic returns no media" },
      "a tool that the provider runs": anthropicContent.answers["calls and results of the provider's tools"],
      "facts without a field": anthropicContent.answers["facts without a field"],
      "two choices": { why: "Anthropic returns one choice: Dragoman sends one request per choice" },
      "an unknown event and unknown fields": {
        wire: sse(
          { ...start(), future: 1 },
          { type: "weather_report", index: 0, delta: { text: "never" } },
          ...text(1, "Hel"),
          more(1, { type: "color_delta", color: "red" }),
          begin(2, { type: "text", text: "", citations: [] }),
          more(2, { type: "text_delta", text: "lo", future: {} }),
          stop(2),
          ...end("end_turn", { container: null }),
        ),
        completion: {
          ...answered(FinishReason.STOP, "end_turn", textPart("Hel"), textPart("lo")),
          warnings: [{ reason: "LEFT_OUT" }, { reason: "LEFT_OUT" }, { reason: "LEFT_OUT" }],
        },
      },
      "an unknown finish reason": {
        wire: sse(start(), ...text(0, "Hello"), ...end("nap")),
        completion: answered(FinishReason.OTHER, "nap", textPart("Hello")),
      },
      "a missing finish reason": {
        wire: sse(start(), ...text(0, "Hello"), { type: "message_stop" }),
        completion: { ...answered(FinishReason.STOP, "", textPart("Hello")), warnings: [{ reason: "INFERRED" }] },
      },
      "tool calls reported without a call": {
        wire: sse(start(), ...text(0, "Hello"), ...end("tool_use")),
        completion: {
          ...answered(FinishReason.STOP, "tool_use", textPart("Hello")),
          warnings: [{ reason: "INFERRED" }],
        },
      },
      "a normal end after a tool call": {
        wire: sse(start(), begin(0, tool("toolu_1", "look")), stop(0), ...end("end_turn")),
        completion: answered(FinishReason.TOOL_CALLS, "end_turn", callPart("toolu_1", "look", "{}")),
      },
      "pings and comments": {
        wire: [
          ": hello\n\n",
          sse({ type: "ping" }, start(), begin(0, { type: "text", text: "" }), { type: "ping" }),
          ": still here\n\n",
          sse(more(0, { type: "text_delta", text: "Hello" }), { type: "ping" }, stop(0), ...end("end_turn")),
        ].join(""),
        completion: hello,
      },
    },
    errors: [
      {
        name: "400 invalid_request_error",
        status: 400,
        body: error("invalid_request_error"),
        reason: "INVALID_REQUEST",
      },
      { name: "401", status: 401, body: error("authentication_error"), reason: "PROVIDER_CREDENTIALS_REJECTED" },
      { name: "402", status: 402, body: error("billing_error"), reason: "PROVIDER_QUOTA_EXHAUSTED" },
      { name: "403", status: 403, body: error("permission_error"), reason: "PROVIDER_PERMISSION_DENIED" },
      {
        name: "404 for an unknown model",
        status: 404,
        body: error("not_found_error", "model: claude-x"),
        reason: "MODEL_NOT_FOUND",
        code: "not_found_error",
      },
      { name: "404 for a wrong URL", status: 404, body: "<html>no</html>", reason: "PROVIDER_FAULT" },
      { name: "409", status: 409, body: error("conflict_error"), reason: "PROVIDER_UNAVAILABLE" },
      { name: "413", status: 413, body: error("request_too_large"), reason: "INVALID_REQUEST" },
      {
        name: "429",
        status: 429,
        headers: { "retry-after": "7" },
        body: error("rate_limit_error"),
        reason: "PROVIDER_RATE_LIMITED",
        retryAfterMs: 7000,
      },
      {
        name: "429 ramp_limit_exceeded",
        status: 429,
        headers: { "retry-after": "30" },
        body: error("rate_limit_error", "slower", { error_code: "ramp_limit_exceeded" }),
        reason: "PROVIDER_RATE_LIMITED",
        code: "ramp_limit_exceeded",
        retryAfterMs: 30_000,
      },
      ...["enforced_spend_limit_reached", "contract_spend_limit_reached"].map((code) => ({
        name: `429 ${code}`,
        status: 429,
        headers: { "retry-after": "7" },
        body: error("rate_limit_error", "spent", { error_code: code }),
        reason: "PROVIDER_QUOTA_EXHAUSTED" as const,
        code,
      })),
      {
        name: "400 for an organization on hold",
        status: 400,
        body: error("invalid_request_error", "on hold", { error_code: "organization_on_hold" }),
        reason: "PROVIDER_PERMISSION_DENIED",
        code: "organization_on_hold",
      },
      { name: "500", status: 500, body: error("api_error"), reason: "PROVIDER_UNAVAILABLE" },
      { name: "503", status: 503, body: "upstream connect error", reason: "PROVIDER_UNAVAILABLE" },
      { name: "504", status: 504, body: error("timeout_error"), reason: "PROVIDER_TIMEOUT" },
      {
        name: "529",
        status: 529,
        headers: { "retry-after": "2", "request-id": "req_1" },
        body: error("overloaded_error", "Overloaded"),
        reason: "PROVIDER_UNAVAILABLE",
        code: "overloaded_error",
        retryAfterMs: 2000,
      },
    ],
    failures: [
      {
        name: "an error event",
        wire: midStream(hi, error("overloaded_error", "Overloaded")),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      { name: "an end without message_delta", wire: midStream(hi, stop(0)), reason: "PROVIDER_STREAM_INTERRUPTED" },
      {
        name: "an event that is not JSON",
        wire: `${midStream(hi)}event: content_block_delta\ndata: {"type":\n\n`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an event with an invalid field type",
        wire: midStream(hi, more(0, { type: "text_delta", text: 7 })),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "a tool call without a name",
        wire: midStream(hi, begin(1, { type: "tool_use", id: "toolu_a" })),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    replay: {
      wire: sse(
        start(),
        ...thought(0, ["Both, ", "then."], "EvQBCk=="),
        begin(1, { type: "redacted_thinking", data: "Eo8B" }),
        stop(1),
        ...text(2, "Looking."),
        begin(3, tool("toolu_a", "weather")),
        more(3, json('{"city":"Oslo","at":{"b":1,"a":2}}')),
        stop(3),
        begin(4, tool("toolu_b", "now")),
        more(4, json("")),
        stop(4),
        ...end("tool_use"),
      ),
      results: { weather: "cold", now: "noon" },
      field: "messages",
      sent: [
        { role: "user", content: [{ type: "text", text: "hello" }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Both, then.", signature: "EvQBCk==" },
            { type: "redacted_thinking", data: "Eo8B" },
            { type: "text", text: "Looking." },
            { type: "tool_use", id: "toolu_a", name: "weather", input: { city: "Oslo", at: { b: 1, a: 2 } } },
            { type: "tool_use", id: "toolu_b", name: "now", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_a", content: "cold" },
            { type: "tool_result", tool_use_id: "toolu_b", content: "noon" },
          ],
        },
      ],
    },
    content: anthropicContent,
    everything: {
      request: everything,
      sent: {
        model: "claude-sonnet-4-6",
        max_tokens: 2048,
        stream: true,
        system: [
          { type: "text", text: "Be brief." },
          { type: "text", text: "Use tools.", cache_control: { type: "ephemeral" } },
        ],
        temperature: 0.7,
        top_k: 40,
        stop_sequences: ["END"],
        thinking: { type: "disabled" },
        output_config: {
          format: { type: "json_schema", schema: { description: "What is seen.", type: "object" } },
        },
        tools: [
          {
            name: "look",
            description: "Looks.",
            input_schema: { type: "object", properties: { b: { type: "integer" }, a: { type: "array" } } },
            strict: true,
            cache_control: { type: "ephemeral", ttl: "1h" },
          },
          { name: "wait", input_schema: { type: "object", properties: {} } },
        ],
        tool_choice: { type: "any", disable_parallel_tool_use: true },
        metadata: { user_id: "u1" },
        service_tier: "standard_only",
        inference_geo: "eu",
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "What is this?" },
              { type: "image", source: { type: "base64", media_type: "image/png", data: "AQ==" } },
              { type: "image", source: { type: "url", url: "https://a.example/b.jpg" } },
              {
                type: "document",
                title: "a.pdf",
                source: { type: "base64", media_type: "application/pdf", data: "Ag==" },
              },
              { type: "document", source: { type: "url", url: "https://a.example/c.pdf" } },
              {
                type: "document",
                source: { type: "text", media_type: "text/plain", data: "hé" },
                cache_control: { type: "ephemeral", ttl: "5m" },
              },
            ],
          },
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "Look.", signature: "sig" },
              { type: "redacted_thinking", data: "hidden" },
              { type: "text", text: "I look." },
              { type: "tool_use", id: "toolu_1", name: "look", input: { b: 1, a: [2] } },
              { type: "tool_use", id: "toolu_2", name: "wait", input: {} },
            ],
          },
          {
            role: "user",
            content: [
              {
                type: "tool_result",
                tool_use_id: "toolu_1",
                content: [
                  { type: "text", text: "seen" },
                  { type: "image", source: { type: "base64", media_type: "image/webp", data: "Aw==" } },
                ],
              },
              { type: "tool_result", tool_use_id: "toolu_2", content: "broken", is_error: true },
              { type: "text", text: "And?" },
            ],
          },
        ],
      },
    },
    limited: [
      {
        name: "unsupported fields",
        request: asked({
          parameters: {
            minP: 0.1,
            seedValue: { case: "seed", value: 7n },
            presencePenalty: 1,
            frequencyPenalty: 1,
            repetitionPenalty: 1.1,
            logprobs: true,
            topLogprobs: 2,
            logitBias: { 1: 1 },
            minOutputTokens: 1,
          },
          promptCacheKey: "k",
          serviceTier: "flex",
          prediction: { content: "x" },
          reasoning: { format: ReasoningFormat.RAW },
        }),
        adaptations: [
          "parameters.min_output_tokens",
          "parameters.min_p",
          "parameters.seed",
          "parameters.presence_penalty",
          "parameters.frequency_penalty",
          "parameters.repetition_penalty",
          "parameters.logprobs",
          "parameters.top_logprobs",
          "parameters.logit_bias",
          "reasoning.format",
          "prediction",
          "service_tier",
          "prompt_cache_key",
        ].map((field) => ({ kind: "UNSUPPORTED_PARAMETER", field })),
      },
      {
        name: "values that have no effect",
        request: asked({ parameters: { n: 2, minP: 0, topK: -1, topP: 1, temperature: 1, presencePenalty: 0 } }),
        adaptations: [],
      },
      {
        name: "top_p, a fifth cache hint and a name",
        request: asked({
          parameters: { temperature: 0.5, topP: 0.5 },
          messages: [
            { role: Role.USER, name: "Ann", parts: [1, 2, 3, 4, 5].map(() => ({ ...textPart("x"), cacheHint: {} })) },
          ],
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_p" },
          { kind: "EMULATED", field: "messages[0].name" },
          { kind: "EMULATED", field: "messages[0].parts[0].cache_hint" },
        ],
      },
      {
        name: "prefill, regex, audio",
        request: asked({
          outputFormat: { format: { case: "regex", value: { pattern: "a" } } },
          messages: [
            {
              role: Role.USER,
              parts: [
                {
                  kind: {
                    case: "media",
                    value: { source: { case: "data", value: Uint8Array.of(1) }, mediaType: "audio/wav" },
                  },
                },
              ],
            },
            { role: Role.ASSISTANT, parts: [textPart("The answer is")] },
          ],
        }),
        adaptations: [
          { kind: "REJECTED", field: "output_format.regex" },
          { kind: "REJECTED", field: "messages[1]" },
          { kind: "REJECTED", field: "messages[0].parts[0].media" },
        ],
      },
      {
        name: "JSON mode and reasoning of another model",
        request: asked({
          outputFormat: { format: { case: "jsonObject", value: {} } },
          messages: [
            { role: Role.USER, parts: [textPart("a")] },
            { role: Role.ASSISTANT, parts: [thoughtPart("hm"), textPart("b")] },
            { role: Role.USER, parts: [textPart("c")] },
          ],
        }),
        adaptations: [
          { kind: "EMULATED", field: "output_format.json_object" },
          { kind: "EMULATED", field: "messages[1].parts[0].reasoning" },
        ],
      },
    ],
  },
];

import { create } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createCohereAdapter } from "../../../src/providers/cohere/adapter.ts";
import { ask } from "../../support/requests.ts";
import { functionTool } from "../../support/tools.ts";
import type { AnswerCase, Dialect } from "../dialect.ts";
import { cohereContent } from "../fixtures/cohere-content.ts";
import {
  begin,
  callDelta,
  callEnd,
  callStart,
  close,
  end,
  event,
  more,
  plan,
  providerModel,
  start,
  usage,
  words,
} from "../fixtures/cohere-wire.ts";
import { chatConversation } from "../fixtures/conversations.ts";

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const thought = (value: string) => ({ kind: { case: "reasoning" as const, value: { text: value } } });
const call = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});
const image = (source: { case: "data"; value: Uint8Array } | { case: "url"; value: string }, mediaType = "") => ({
  kind: { case: "media" as const, value: { source, mediaType, detail: MediaDetail.HIGH } },
});

type Parts = NonNullable<NonNullable<NonNullable<AnswerCase["completion"]["choices"]>[number]["message"]>["parts"]>;

function said(parts: Parts, finishReason: FinishReason, providerFinishReason: string): AnswerCase["completion"] {
  return { choices: [{ message: { role: Role.ASSISTANT, parts }, finishReason, providerFinishReason }] };
}

const planState = { provider: "cohere", model: providerModel, data: Buffer.from("tool_plan") };

const stateOf = (citation: object) => ({ ...planState, data: Buffer.from(JSON.stringify(citation)) });
const cite = (citations: object) =>
  event("citation-start", { index: 0, delta: { message: { citations } } }) + event("citation-end", { index: 0 });
const both = {
  start: 7,
  end: 9,
  text: "世界",
  content_index: 0,
  type: "TEXT_CONTENT",
  sources: [
    { type: "document", id: "doc:1", document: { title: "D", snippet: "s" } },
    { type: "document", id: "doc:2", document: { title: "A", url: "https://a.example" } },
  ],
};

export const dialects: readonly Dialect[] = [
  {
    name: "cohere",
    provenance: "cohere-ai 8.1.0 types, fixtures of @ai-sdk/cohere 4.0.52, docs.cohere.com reference of v2 chat",
    model: create(ModelSchema, { id: `cohere/${providerModel}`, provider: "cohere", providerModel }),
    reader: "cohere",
    content: cohereContent,
    conversation: chatConversation({ uniqueIds: true, rejectedText: /^$/ }),
    stops: { field: "stop_sequences", max: 5 },
    whole: { why: "the adapter has no `complete`: it always streams" },
    create: (baseUrl) =>
      createCohereAdapter({
        name: "cohere",
        dialect: "cohere",
        baseUrl,
        apiKey: new Secret("key"),
        keys: [],
        headers: {},
        timeouts: { connectMs: 5_000, firstEventMs: 20_000, idleMs: 20_000 },
        maxConnections: 8,
        maxQueue: 16,
        options: {},
        variables: {},
      }),
    usage: {
      // Cohere sends usage once.
      wire: (...usages) => start + words("Hi") + end("COMPLETE", { usage: usages.at(-1) }),
      names: {
        input: ["tokens.input_tokens", "billed_units.input_tokens"],
        output: ["tokens.output_tokens", "billed_units.output_tokens"],
        cached: ["cached_tokens"],
      },
    },
    answers: {
      "plain text": {
        wire: start + words("Hi", " ü") + end("COMPLETE"),
        completion: said([text("Hi ü")], FinishReason.STOP, "COMPLETE"),
      },
      "empty text": {
        wire: start + words() + end("COMPLETE"),
        completion: said([], FinishReason.STOP, "COMPLETE"),
      },
      "two parallel tool calls with interleaved deltas": {
        wire:
          start +
          plan("I will ") +
          plan("look.") +
          callStart(0, "weather_a1", "weather") +
          callStart(1, "time_b2", "time") +
          callDelta(0, '{"city":') +
          callDelta(1, '{"zone":') +
          callDelta(0, "null") +
          callDelta(0, "}") +
          callDelta(1, "1}") +
          callEnd(0) +
          callEnd(1) +
          end("TOOL_CALL"),
        completion: said(
          [
            { ...thought("I will look."), providerState: planState },
            call("weather_a1", "weather", '{"city":null}'),
            call("time_b2", "time", '{"zone":1}'),
          ],
          FinishReason.TOOL_CALLS,
          "TOOL_CALL",
        ),
      },
      "a tool call without arguments": {
        wire:
          start +
          callStart(0, "now_a1", "now") +
          callEnd(0) +
          callStart(1, "now_b2", "now") +
          callDelta(1, "nu") +
          callDelta(1, "ll") +
          callEnd(1) +
          callStart(2, "now_c3", "now") +
          end("TOOL_CALL"),
        completion: said(
          [call("now_a1", "now", "{}"), call("now_b2", "now", "{}"), call("now_c3", "now", "{}")],
          FinishReason.TOOL_CALLS,
          "TOOL_CALL",
        ),
      },
      "two tool calls with one id": {
        wire:
          start +
          callStart(0, "look_a1", "look") +
          callDelta(0, '{"a":1}') +
          callEnd(0) +
          callStart(1, "look_a1", "look") +
          callDelta(1, '{"b":2}') +
          callEnd(1) +
          end("TOOL_CALL"),
        completion: {
          ...said(
            [call("look_a1", "look", '{"a":1}'), call("look_a1_2", "look", '{"b":2}')],
            FinishReason.TOOL_CALLS,
            "TOOL_CALL",
          ),
          warnings: [{ reason: "INFERRED" }],
        },
      },
      "an empty object before the arguments": {
        wire:
          start +
          callStart(0, "look_a1", "look") +
          callDelta(0, "{}") +
          callDelta(0, '{"x":"1"}') +
          callEnd(0) +
          end("TOOL_CALL"),
        completion: said([call("look_a1", "look", '{"x":"1"}')], FinishReason.TOOL_CALLS, "TOOL_CALL"),
      },
      "halves of a character in two deltas": {
        wire:
          start +
          begin("thinking") +
          more("thinking", "H\ud83d") +
          more("thinking", "\ude00") +
          close() +
          begin("text", 1) +
          more("text", "ok \ud83d", 1) +
          more("text", "\ude00! \ud83d", 1) +
          close(1) +
          end("COMPLETE"),
        completion: said([thought("H😀"), text("ok 😀! \ufffd")], FinishReason.STOP, "COMPLETE"),
      },
      "reasoning, then text": {
        wire:
          start +
          begin("thinking") +
          more("thinking", "Two ") +
          more("thinking", "cities") +
          close() +
          begin("text", 1) +
          more("text", "Both.", 1) +
          close(1) +
          end("COMPLETE"),
        completion: said([thought("Two cities"), text("Both.")], FinishReason.STOP, "COMPLETE"),
      },
      "reasoning with a signature": { why: "Cohere does not sign reasoning" },
      "redacted reasoning": { why: "Cohere always sends reasoning as text" },
      "a refusal": { why: "Cohere has no field for refusals" },
      "a content filter": { why: "Cohere has no finish reason for content filters" },
      "a length stop": {
        wire: start + words("Hi") + end("MAX_TOKENS"),
        completion: said([text("Hi")], FinishReason.LENGTH, "MAX_TOKENS"),
      },
      "a matched stop sequence": {
        wire: start + words("Hi") + end("STOP_SEQUENCE"),
        completion: said([text("Hi")], FinishReason.STOP, "STOP_SEQUENCE"),
      },
      "usage in the last chunk": {
        wire: start + words("Hi") + end("COMPLETE"),
        completion: {
          ...said([text("Hi")], FinishReason.STOP, "COMPLETE"),
          usage: {
            inputTokens: 69,
            outputTokens: 4,
            totalTokens: 73,
            cachedInputTokens: 0,
            quality: UsageQuality.EXACT,
          },
        },
      },
      "usage on the finish chunk": { why: "Cohere sends the finish event last" },
      "usage split over two events": { why: "Cohere sends usage once" },
      "no usage": {
        wire: start + words("Hi") + end("COMPLETE", {}),
        completion: { ...said([text("Hi")], FinishReason.STOP, "COMPLETE"), usage: undefined },
      },
      "cached, cache-write and reasoning tokens": {
        wire: start + words("Hi") + end("COMPLETE", { usage: { ...usage, cached_tokens: 60 } }),
        completion: {
          ...said([text("Hi")], FinishReason.STOP, "COMPLETE"),
          usage: {
            inputTokens: 69,
            outputTokens: 4,
            totalTokens: 73,
            cachedInputTokens: 60,
            quality: UsageQuality.EXACT,
          },
        },
      },
      "log probabilities": {
        request: { parameters: { logprobs: true } },
        wire:
          start +
          begin("text") +
          more("text", "Hi", 0, { logprobs: { text: "Hi", token_ids: [1], logprobs: [-0.5] } }) +
          more("text", " you", 0, { logprobs: { text: " you", token_ids: [2, 3], logprobs: [-0.25, -0.5] } }) +
          close() +
          end("COMPLETE"),
        completion: {
          choices: [
            {
              message: { role: Role.ASSISTANT, parts: [text("Hi you")] },
              finishReason: FinishReason.STOP,
              providerFinishReason: "COMPLETE",
              logprobs: {
                tokens: [
                  { token: "Hi", logprob: -0.5 },
                  { token: " you", logprob: -0.75 },
                ],
              },
            },
          ],
        },
      },
      citations: {
        // Positions are characters. A citation can have several sources; the first one keeps the whole citation.
        wire:
          start +
          plan("I look.") +
          cite({
            start: 2,
            end: 6,
            text: "look",
            type: "PLAN",
            sources: [{ type: "tool", id: "t:0", tool_output: {} }],
          }) +
          begin("text") +
          more("text", "Grüße, ") +
          more("text", "世界") +
          cite(both) +
          close() +
          end("COMPLETE"),
        completion: said(
          [
            {
              ...thought("I look."),
              providerState: planState,
              citations: [
                {
                  start: 2,
                  end: 6,
                  source: { case: "document", value: { fileId: "t:0" } },
                  providerState: stateOf({
                    start: 2,
                    end: 6,
                    text: "look",
                    type: "PLAN",
                    sources: [{ type: "tool", id: "t:0", tool_output: {} }],
                  }),
                },
              ],
            },
            {
              ...text("Grüße, 世界"),
              citations: [
                {
                  start: 9,
                  end: 15,
                  source: { case: "document", value: { title: "D", fileId: "doc:1" } },
                  providerState: stateOf(both),
                },
                {
                  start: 9,
                  end: 15,
                  source: { case: "url", value: { url: "https://a.example", title: "A" } },
                  providerState: stateOf({}),
                },
              ],
            },
          ],
          FinishReason.STOP,
          "COMPLETE",
        ),
      },
      "sources without a position": { why: "Cohere reports a position for each source" },
      "media in the response": { why: "Cohere returns no media" },
      "a tool that the provider runs": { why: "Cohere runs no tools in its API v2" },
      "facts without a field": {
        wire: start + words("Hi") + end("COMPLETE", { usage, error: "slow" }),
        completion: {
          choices: [
            {
              message: { role: Role.ASSISTANT, parts: [text("Hi")] },
              finishReason: FinishReason.STOP,
              providerFinishReason: "COMPLETE",
              providerMetadataJson: '{"error":"slow"}',
            },
          ],
        },
      },
      "two choices": { why: "Cohere returns one choice: Dragoman sends one request per choice" },
      "an unknown event and unknown fields": {
        wire:
          start +
          begin("text") +
          more("text", "Hi", 0, { news: 1 }) +
          event("debug", { prompt: "x" }) +
          close() +
          end("COMPLETE") +
          "data: [DONE]\n\n",
        completion: {
          ...said([text("Hi")], FinishReason.STOP, "COMPLETE"),
          warnings: [{ reason: "LEFT_OUT" }, { reason: "LEFT_OUT" }],
        },
      },
      "an unknown finish reason": {
        wire: start + words("Hi") + end("TIRED"),
        completion: said([text("Hi")], FinishReason.OTHER, "TIRED"),
      },
      "a missing finish reason": {
        wire: start + words("Hi") + event("message-end", { delta: { usage } }),
        completion: { ...said([text("Hi")], FinishReason.STOP, ""), warnings: [{ reason: "INFERRED" }] },
      },
      "tool calls reported without a call": {
        wire: start + words("Hi") + end("TOOL_CALL"),
        completion: { ...said([text("Hi")], FinishReason.STOP, "TOOL_CALL"), warnings: [{ reason: "INFERRED" }] },
      },
      "a normal end after a tool call": {
        wire: start + callStart(0, "a1", "look") + callEnd(0) + end("COMPLETE"),
        completion: said([call("a1", "look", "{}")], FinishReason.TOOL_CALLS, "COMPLETE"),
      },
      "pings and comments": {
        wire: `: hold on\n\n${start}: still\n\n${words("Hi")}${end("COMPLETE")}`,
        completion: said([text("Hi")], FinishReason.STOP, "COMPLETE"),
      },
    },
    errors: [
      {
        name: "a bad request (400)",
        status: 400,
        body: { id: "1", message: "invalid request: temperature must be between 0 and 1.0 inclusive." },
        reason: "INVALID_REQUEST",
      },
      {
        name: "both penalties at once (400)",
        status: 400,
        body: { id: "1", message: "invalid request: cannot specify both frequency_penalty and presence_penalty." },
        reason: "INVALID_REQUEST",
      },
      {
        name: "an invalid API key (401)",
        status: 401,
        body: { id: "1", message: "no" },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
      },
      { name: "billing (402)", status: 402, body: { id: "1", message: "pay" }, reason: "PROVIDER_QUOTA_EXHAUSTED" },
      { name: "forbidden (403)", status: 403, body: { id: "1", message: "no" }, reason: "PROVIDER_PERMISSION_DENIED" },
      {
        name: "an unknown model (404)",
        status: 404,
        body: { id: "1", message: "model 'x' not found" },
        reason: "MODEL_NOT_FOUND",
      },
      { name: "a wrong URL (404)", status: 404, body: "<html>404</html>", reason: "PROVIDER_FAULT" },
      { name: "unprocessable (422)", status: 422, body: { id: "1", message: "no" }, reason: "INVALID_REQUEST" },
      {
        name: "a rate limit (429)",
        status: 429,
        headers: { "retry-after": "2" },
        body: { id: "1", message: "You are using a Trial key" },
        reason: "PROVIDER_RATE_LIMITED",
        retryAfterMs: 2_000,
      },
      { name: "a blocked token (498)", status: 498, body: { id: "1", message: "no" }, reason: "INVALID_REQUEST" },
      {
        name: "a closed connection (499)",
        status: 499,
        body: { id: "1", message: "request cancelled" },
        reason: "PROVIDER_UNAVAILABLE",
      },
      {
        name: "an internal error (500)",
        status: 500,
        body: { id: "1", message: "no" },
        reason: "PROVIDER_UNAVAILABLE",
      },
      { name: "not implemented (501)", status: 501, body: { id: "1", message: "no" }, reason: "PROVIDER_FAULT" },
      { name: "overload (503)", status: 503, body: { id: "1", message: "no" }, reason: "PROVIDER_UNAVAILABLE" },
      { name: "a timeout (504)", status: 504, body: { id: "1", message: "no" }, reason: "PROVIDER_TIMEOUT" },
    ],
    failures: [
      {
        name: "the finish reason ERROR",
        wire: start + words("Hi") + end("ERROR", { error: "internal error" }),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "the finish reason TIMEOUT",
        wire: start + words("Hi") + end("TIMEOUT"),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      { name: "an end without message-end", wire: start + words("Hi"), reason: "PROVIDER_STREAM_INTERRUPTED" },
      {
        name: "an error between the events",
        wire: `${start}${words("Hi")}data: ${JSON.stringify({ id: "1", message: "oops" })}\n\n`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an event that is not JSON",
        wire: `${start}${words("Hi")}data: {"type\n\n`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "a tool call without a name",
        wire: start + words("Hi") + callStart(0, "a", ""),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    replay: {
      wire:
        start +
        begin("thinking") +
        more("thinking", "Two cities.") +
        close() +
        plan("I will look.") +
        cite({ ...both, start: 2, end: 6, type: "PLAN" }) +
        callStart(0, "weather_a1", "weather") +
        callDelta(0, '{"city": "Oslo"}') +
        callEnd(0) +
        end("TOOL_CALL"),
      results: { weather: "rain" },
      field: "messages",
      sent: [
        { role: "user", content: "hello" },
        {
          role: "assistant",
          content: [{ type: "thinking", thinking: "Two cities." }],
          tool_calls: [
            { id: "weather_a1", type: "function", function: { name: "weather", arguments: '{"city": "Oslo"}' } },
          ],
          tool_plan: "I will look.",
          citations: [{ ...both, start: 2, end: 6, type: "PLAN" }],
        },
        { role: "tool", tool_call_id: "weather_a1", content: "rain" },
      ],
    },
    everything: {
      request: ask(`cohere/${providerModel}`, "first", {
        messages: [
          { role: Role.SYSTEM, parts: [text("be brief")] },
          { role: Role.DEVELOPER, parts: [text("be kind"), text("always")] },
          {
            role: Role.USER,
            parts: [
              text("look"),
              image({ case: "data", value: Uint8Array.of(1) }, "image/png"),
              image({ case: "url", value: "https://x.test/a.jpg" }),
            ],
          },
          { role: Role.ASSISTANT, parts: [text("seen")] },
          { role: Role.USER, parts: [text("go on")] },
        ],
        parameters: {
          temperature: 0.5,
          topP: 0.9,
          topK: 40,
          maxOutputTokens: 100,
          stopSequences: ["END"],
          seedValue: { case: "seed", value: 42n },
          presencePenalty: 0.1,
          frequencyPenalty: 0.2,
          logprobs: true,
        },
        tools: [
          functionTool({ name: "now", strict: true }),
          functionTool({ name: "weather", description: "d", parametersJsonSchema: '{"type":"object"}', strict: true }),
        ],
        toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } },
        parallelToolCalls: true,
        reasoning: { control: { case: "budgetTokens", value: 500 }, format: ReasoningFormat.PARSED },
        providerOptions: { cohere: { safety_mode: "STRICT", priority: 1 }, openai: { verbosity: "low" } },
      }),
      sent: {
        model: providerModel,
        messages: [
          { role: "system", content: "be brief" },
          {
            role: "system",
            content: [
              { type: "text", text: "be kind" },
              { type: "text", text: "always" },
            ],
          },
          {
            role: "user",
            content: [
              { type: "text", text: "look" },
              { type: "image_url", image_url: { url: "data:image/png;base64,AQ==", detail: "high" } },
              { type: "image_url", image_url: { url: "https://x.test/a.jpg", detail: "high" } },
            ],
          },
          { role: "assistant", content: "seen" },
          { role: "user", content: "go on" },
        ],
        stream: true,
        temperature: 0.5,
        p: 0.9,
        k: 40,
        max_tokens: 100,
        stop_sequences: ["END"],
        seed: 42,
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
        logprobs: true,
        tools: [
          { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
          { type: "function", function: { name: "weather", description: "d", parameters: { type: "object" } } },
        ],
        strict_tools: true,
        tool_choice: "REQUIRED",
        citation_options: { mode: "OFF" },
        thinking: { type: "enabled", token_budget: 500 },
        safety_mode: "STRICT",
        priority: 1,
      },
    },
    limited: [
      {
        name: "unsupported fields",
        request: ask("m", "hi", {
          parameters: {
            minP: 0.1,
            minOutputTokens: 3,
            repetitionPenalty: 1.2,
            logprobs: true,
            topLogprobs: 2,
            logitBias: { 1: 2 },
            seedValue: { case: "seed", value: -1n },
            n: 3,
          },
          tools: [functionTool({ name: "now" })],
          parallelToolCalls: false,
          user: "u",
          promptCacheKey: "k",
          serviceTier: "flex",
          prediction: { content: "p" },
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_output_tokens" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_p" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.repetition_penalty" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_logprobs" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.logit_bias" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parallel_tool_calls" },
          { kind: "UNSUPPORTED_PARAMETER", field: "prediction" },
          { kind: "UNSUPPORTED_PARAMETER", field: "service_tier" },
          { kind: "UNSUPPORTED_PARAMETER", field: "prompt_cache_key" },
          { kind: "UNSUPPORTED_PARAMETER", field: "user" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.seed" },
        ],
      },
      {
        name: "values out of range",
        request: ask("m", "hi", {
          parameters: { temperature: 1.5, topP: 1, topK: 501, presencePenalty: -1, frequencyPenalty: 1.5 },
        }),
        adaptations: [
          { kind: "ADJUSTED", field: "parameters.temperature" },
          { kind: "ADJUSTED", field: "parameters.top_p" },
          { kind: "ADJUSTED", field: "parameters.top_k" },
          { kind: "ADJUSTED", field: "parameters.presence_penalty" },
          { kind: "ADJUSTED", field: "parameters.frequency_penalty" },
        ],
      },
      {
        name: "JSON with tools, a named tool, an effort",
        request: ask("m", "hi", {
          tools: [functionTool({ name: "now", strict: true }), functionTool({ name: "weather" })],
          toolChoice: { choice: { case: "toolName", value: "now" } },
          outputFormat: { format: { case: "jsonSchema", value: { name: "s", schemaJson: "{}" } } },
          reasoning: { control: { case: "effort", value: ReasoningEffort.LOW }, format: ReasoningFormat.RAW },
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "reasoning.format" },
          { kind: "EMULATED", field: "reasoning.effort" },
          { kind: "REJECTED", field: "output_format.json_schema" },
          { kind: "EMULATED", field: "tool_choice.tool_name" },
        ],
      },
      {
        name: "unsupported media, names and cache hints",
        request: ask("m", "hi", {
          messages: [
            {
              role: Role.USER,
              name: "ann",
              parts: [
                image({ case: "data", value: Uint8Array.of(1) }, "application/pdf"),
                image({ case: "url", value: "file:///etc/passwd" }),
                { ...text("hi"), cacheHint: {} },
              ],
            },
          ],
        }),
        adaptations: [
          { kind: "REJECTED", field: "messages[0].parts[0].media" },
          { kind: "REJECTED", field: "messages[0].parts[1].media" },
          { kind: "EMULATED", field: "messages[0].name" },
          { kind: "EMULATED", field: "messages[0].parts[2].cache_hint" },
        ],
      },
    ],
  },
];

import { create } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createMistralAdapter } from "../../../src/providers/mistral/adapter.ts";
import { ask } from "../../support/requests.ts";
import { functionTool } from "../../support/tools.ts";
import type { AnswerCase, Dialect } from "../dialect.ts";
import { chatUsageCases, eitherOr, wholeAnyway } from "../fixtures/chat-completions.ts";
import { chatConversation } from "../fixtures/conversations.ts";
import { mistralContent } from "../fixtures/mistral-content.ts";
import { chunk, delta, end, providerModel, usage } from "../fixtures/mistral-wire.ts";
import { chatCompletion } from "../whole/chat-completion.ts";
import { joinMistralContent } from "../whole/mistral-content.ts";

const cited = (fileId: string, state: object) => ({
  source: { case: "document" as const, value: { fileId } },
  providerState: { provider: "mistral", model: providerModel, data: Buffer.from(JSON.stringify(state)) },
});
const text = (value: string) => ({ kind: { case: "text" as const, value } });
const thought = (value: string) => ({ kind: { case: "reasoning" as const, value: { text: value } } });
const call = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});

type Parts = NonNullable<NonNullable<NonNullable<AnswerCase["completion"]["choices"]>[number]["message"]>["parts"]>;

function said(parts: Parts, finishReason: FinishReason, providerFinishReason: string): AnswerCase["completion"] {
  return { choices: [{ message: { role: Role.ASSISTANT, parts }, finishReason, providerFinishReason }] };
}

const thinking = (value: string, more: object = {}) => ({
  content: [{ type: "thinking", thinking: [{ type: "text", text: value }], ...more }],
});

const twoCalls = [
  { id: "gSIMJiOkT", function: { name: "weather", arguments: '{"city": "Oslo"}' } },
  { id: "a1B2c3D4e", function: { name: "weather", arguments: '{"city": "Rome"}' } },
];

const state = { provider: "mistral", model: providerModel, data: Buffer.from("sig-1") };

export const dialects: readonly Dialect[] = [
  {
    name: "mistral",
    provenance:
      "@mistralai/mistralai 2.7.0 types, fixtures and catalog of @ai-sdk/mistral 4.0.87, error glossary of docs.mistral.ai",
    model: create(ModelSchema, { id: `mistral/${providerModel}`, provider: "mistral", providerModel }),
    reader: "mistral",
    content: mistralContent,
    conversation: chatConversation({ callId: /^[a-zA-Z0-9]{9}$/, uniqueIds: true, rejectedText: /^$/ }),
    stops: { field: "stop" },
    whole: chatCompletion({
      provenance: "ChatCompletionResponse beside CompletionChunk of @mistralai/mistralai 2.7.0",
      joinContent: joinMistralContent,
    }),
    create: (baseUrl) =>
      createMistralAdapter({
        name: "mistral",
        dialect: "mistral",
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
    usage: chatUsageCases({ usagePlace: "finish chunk" }),
    answers: {
      "plain text": {
        wire:
          delta({ role: "assistant", content: "" }) + delta({ content: "Hi" }) + delta({ content: " ü" }) + end("stop"),
        completion: said([text("Hi ü")], FinishReason.STOP, "stop"),
      },
      "empty text": {
        wire: delta({ role: "assistant", content: "" }) + end("stop"),
        completion: said([], FinishReason.STOP, "stop"),
      },
      "two parallel tool calls with interleaved deltas": {
        // Mistral's own models send complete calls without type and index. Other models that Mistral hosts send deltas.
        wire:
          delta({
            tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: "" }, index: 0 }],
          }) +
          delta({ tool_calls: [{ id: "c2", type: "function", function: { name: "time", arguments: "" }, index: 1 }] }) +
          delta({ tool_calls: [{ type: "function", function: { name: "", arguments: '{"city":' }, index: 0 }] }) +
          delta({ tool_calls: [{ type: "function", function: { name: "", arguments: '{"zone":1}' }, index: 1 }] }) +
          delta({ tool_calls: [{ type: "function", function: { name: "", arguments: '"Oslo"}' }, index: 0 }] }) +
          end("tool_calls"),
        completion: said(
          [call("c1", "weather", '{"city":"Oslo"}'), call("c2", "time", '{"zone":1}')],
          FinishReason.TOOL_CALLS,
          "tool_calls",
        ),
      },
      "a tool call without arguments": {
        wire:
          delta({ tool_calls: [{ id: "gSIMJiOkT", function: { name: "now", arguments: "" } }] }) + end("tool_calls"),
        completion: said([call("gSIMJiOkT", "now", "{}")], FinishReason.TOOL_CALLS, "tool_calls"),
      },
      "two tool calls with one id": {
        wire:
          delta({
            tool_calls: [
              { id: "gSIMJiOkT", function: { name: "look", arguments: '{"a":1}' } },
              { id: "gSIMJiOkT", function: { name: "look", arguments: '{"b":2}' } },
            ],
          }) + end("tool_calls"),
        completion: {
          ...said(
            [call("gSIMJiOkT", "look", '{"a":1}'), call("gSIMJiOkT_2", "look", '{"b":2}')],
            FinishReason.TOOL_CALLS,
            "tool_calls",
          ),
          warnings: [{ reason: "INFERRED" }],
        },
      },
      "an empty object before the arguments": {
        wire:
          delta({ tool_calls: [{ id: "c1", index: 0, function: { name: "look", arguments: "{}" } }] }) +
          delta({ tool_calls: [{ index: 0, function: { name: "", arguments: '{"x":"1"}' } }] }) +
          end("tool_calls"),
        whole: { why: "a whole response has the arguments in one piece" },
        completion: said([call("c1", "look", '{"x":"1"}')], FinishReason.TOOL_CALLS, "tool_calls"),
      },
      "halves of a character in two deltas": {
        wire:
          delta(thinking("H\ud83d")) +
          delta(thinking("\ude00")) +
          delta({ content: "ok \ud83d" }) +
          delta({ content: "\ude00! \ud83d" }) +
          end("stop"),
        completion: said([thought("H😀"), text("ok 😀! \ufffd")], FinishReason.STOP, "stop"),
      },
      "reasoning, then text": {
        wire:
          delta({ role: "assistant", ...thinking("2+2 ") }) +
          delta(thinking("is")) +
          delta({ content: [{ type: "text", text: "4" }] }) +
          delta({ content: "." }) +
          end("stop"),
        completion: said([thought("2+2 is"), text("4.")], FinishReason.STOP, "stop"),
      },
      "reasoning with a signature": {
        wire:
          delta(thinking("first")) +
          delta(thinking("", { signature: "sig-1" })) +
          delta(thinking("second")) +
          delta({ content: "4" }) +
          end("stop"),
        completion: said(
          [{ ...thought("first"), providerState: state }, thought("second"), text("4")],
          FinishReason.STOP,
          "stop",
        ),
      },
      "redacted reasoning": { why: "Mistral always sends reasoning as text" },
      "a refusal": { why: "Mistral has no field for refusals" },
      "a content filter": { why: "Mistral guardrails respond with HTTP 403" },
      "a length stop": {
        wire: delta({ content: "Hi" }) + end("model_length"),
        completion: said([text("Hi")], FinishReason.LENGTH, "model_length"),
      },
      "a matched stop sequence": { why: "Mistral does not report which sequence matched" },
      "usage in the last chunk": {
        wire:
          delta({ content: "Hi" }) +
          chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
          chunk({ choices: [], usage }) +
          "data: [DONE]\n\n",
        completion: {
          ...said([text("Hi")], FinishReason.STOP, "stop"),
          usage: { inputTokens: 13, outputTokens: 8, totalTokens: 21, quality: UsageQuality.EXACT },
        },
      },
      "usage on the finish chunk": {
        wire: delta({ content: "Hi" }) + end("stop", { usage: { ...usage, service_tier: "priority" } }),
        completion: {
          ...said([text("Hi")], FinishReason.STOP, "stop"),
          usage: { inputTokens: 13, outputTokens: 8, totalTokens: 21, quality: UsageQuality.EXACT },
          serviceTier: "priority",
        },
      },
      "usage split over two events": { why: "Mistral sends usage once" },
      "no usage": {
        wire: delta({ content: "Hi" }) + end("stop", {}),
        completion: { ...said([text("Hi")], FinishReason.STOP, "stop"), usage: undefined },
      },
      "cached, cache-write and reasoning tokens": {
        wire:
          delta({ content: "Hi" }) +
          end("stop", {
            usage: {
              ...usage,
              prompt_audio_seconds: null,
              prompt_tokens_details: { cached_tokens: 5, audio_tokens: 0 },
              completion_tokens_details: { reasoning_tokens: 6 },
            },
          }),
        completion: {
          ...said([text("Hi")], FinishReason.STOP, "stop"),
          usage: {
            inputTokens: 13,
            outputTokens: 8,
            totalTokens: 21,
            cachedInputTokens: 5,
            reasoningTokens: 6,
            audioInputTokens: 0,
            quality: UsageQuality.EXACT,
          },
        },
      },
      "log probabilities": { why: "Mistral returns no log probabilities" },
      citations: {
        // A reference stands in the text. Dragoman reports its place in bytes.
        wire:
          delta({ content: "Grüße" }) +
          delta({ content: [{ type: "reference", reference_ids: [1, "b"] }] }) +
          delta({ content: [{ type: "text", text: " aus" }] }) +
          delta({ content: [{ type: "tool_reference", tool: "web_search", title: "A", url: "https://a.example" }] }) +
          end("stop"),
        completion: said(
          [
            {
              ...text("Grüße aus"),
              citations: [
                { start: 7, end: 7, ...cited("1", { type: "reference", reference_ids: [1, "b"] }) },
                { start: 7, end: 7, ...cited("b", {}) },
                { start: 11, end: 11, source: { case: "url", value: { url: "https://a.example", title: "A" } } },
              ],
            },
          ],
          FinishReason.STOP,
          "stop",
        ),
      },
      "sources without a position": { why: "Mistral lists no sources beside its text" },
      "media in the response": {
        wire:
          delta({ content: [{ type: "text", text: "Here:" }] }) +
          delta({ content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } }] }) +
          delta({ content: [{ type: "file", file_id: "f1" }] }) +
          delta({ content: [{ type: "text", text: "Done." }] }) +
          end("stop"),
        completion: said(
          [
            text("Here:"),
            {
              kind: {
                case: "media",
                value: { source: { case: "data", value: Buffer.from("iVBORw0K", "base64") }, mediaType: "image/png" },
              },
            },
            { kind: { case: "media", value: { source: { case: "fileId", value: "f1" } } } },
            text("Done."),
          ],
          FinishReason.STOP,
          "stop",
        ),
      },
      "a tool that the provider runs": { why: "Mistral runs tools only in its Conversations API" },
      "facts without a field": {
        wire:
          chunk({ choices: [], news: { a: 1 } }) +
          delta({ content: [{ type: "hologram", data: "x" }], metadata: { b: 2 } }) +
          delta({ content: [{ type: "text", text: "Hi" }] }) +
          end("stop"),
        completion: {
          choices: [
            {
              message: { role: Role.ASSISTANT, parts: [text("Hi")] },
              finishReason: FinishReason.STOP,
              providerFinishReason: "stop",
              providerMetadataJson: '{"metadata":{"b":2},"content":[{"type":"hologram","data":"x"}]}',
            },
          ],
          providerMetadataJson: '{"news":{"a":1}}',
        },
      },
      "two choices": {
        request: { parameters: { n: 2 } },
        wire:
          delta({ content: "A" }) +
          delta({ content: "B" }, 1) +
          chunk({ choices: [{ index: 1, delta: { content: "" }, finish_reason: "length" }] }) +
          end("stop"),
        completion: {
          choices: [
            {
              message: { role: Role.ASSISTANT, parts: [text("A")] },
              finishReason: FinishReason.STOP,
              providerFinishReason: "stop",
            },
            {
              index: 1,
              message: { role: Role.ASSISTANT, parts: [text("B")] },
              finishReason: FinishReason.LENGTH,
              providerFinishReason: "length",
            },
          ],
        },
      },
      "an unknown event and unknown fields": {
        wire:
          `event: news\n${chunk({ choices: [], news: 1 })}` +
          delta({ content: [{ type: "reference", reference_ids: [1] }], novelty: true }) +
          delta({ content: [{ type: "text", text: "Hi" }] }) +
          end("stop"),
        completion: {
          choices: [
            {
              message: {
                role: Role.ASSISTANT,
                // A reference before the text has no place in it.
                parts: [{ ...text("Hi"), citations: [cited("1", { type: "reference", reference_ids: [1] })] }],
              },
              finishReason: FinishReason.STOP,
              providerFinishReason: "stop",
              providerMetadataJson: '{"novelty":true}',
            },
          ],
        },
      },
      "an unknown finish reason": {
        wire: delta({ content: "Hi" }) + end("tired"),
        completion: said([text("Hi")], FinishReason.OTHER, "tired"),
      },
      "a missing finish reason": {
        wire: `${delta({ content: "Hi" })}data: [DONE]\n\n`,
        completion: { ...said([text("Hi")], FinishReason.STOP, ""), warnings: [{ reason: "INFERRED" }] },
      },
      "tool calls reported without a call": {
        wire: delta({ content: "Hi" }) + end("tool_calls"),
        completion: { ...said([text("Hi")], FinishReason.STOP, "tool_calls"), warnings: [{ reason: "INFERRED" }] },
      },
      "a normal end after a tool call": {
        wire: delta({ tool_calls: [{ ...twoCalls[0], index: 0 }] }) + end("stop"),
        completion: said([call("gSIMJiOkT", "weather", '{"city": "Oslo"}')], FinishReason.TOOL_CALLS, "stop"),
      },
      "pings and comments": {
        wire: `: hold on\n\n${delta({ content: "Hi" })}: still\n\n${end("stop")}`,
        completion: said([text("Hi")], FinishReason.STOP, "stop"),
      },
    },
    errors: [
      {
        name: "an unknown model (400, code 1500)",
        status: 400,
        body: { object: "error", message: "Invalid model: x", type: "invalid_model", param: null, code: "1500" },
        reason: "MODEL_NOT_FOUND",
        code: "1500",
      },
      {
        name: "roles out of order (400, code 3230)",
        status: 400,
        body: {
          object: "error",
          message: "Unexpected role 'user' after role 'tool'",
          type: "invalid_request_message_order",
          param: null,
          code: "3230",
        },
        reason: "INVALID_REQUEST",
        code: "3230",
      },
      {
        name: "an invalid API key (401)",
        status: 401,
        body: { detail: "Unauthorized" },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
      },
      {
        name: "a bad key at the gateway (401)",
        status: 401,
        body: { message: "Unauthorized", request_id: "1" },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
      },
      {
        name: "billing (402)",
        status: 402,
        body: { object: "error", message: "pay", type: "billing", param: null, code: null },
        reason: "PROVIDER_QUOTA_EXHAUSTED",
      },
      {
        name: "tier or guardrail (403)",
        status: 403,
        body: { object: "error", message: "no", type: "forbidden", param: null, code: null },
        reason: "PROVIDER_PERMISSION_DENIED",
      },
      {
        name: "not found (404)",
        status: 404,
        body: { object: "error", message: "no", type: "not_found", param: null, code: null },
        reason: "MODEL_NOT_FOUND",
      },
      {
        name: "a missing field (422)",
        status: 422,
        body: { detail: [{ type: "missing", loc: ["body", "messages"], msg: "Field required", input: {} }] },
        reason: "INVALID_REQUEST",
      },
      {
        name: "a rate limit (429)",
        status: 429,
        headers: { "retry-after": "3" },
        body: {
          object: "error",
          message: "Requests rate limit exceeded",
          type: "rate_limited",
          param: null,
          code: "1300",
        },
        reason: "PROVIDER_RATE_LIMITED",
        code: "1300",
        retryAfterMs: 3_000,
      },
      {
        name: "an internal error (500)",
        status: 500,
        body: { object: "error", message: "oops", type: "internal_server_error", param: null, code: "1000" },
        reason: "PROVIDER_UNAVAILABLE",
      },
      { name: "a bad gateway (502)", status: 502, body: "<html>502</html>", reason: "PROVIDER_UNAVAILABLE" },
      { name: "unavailable (503)", status: 503, body: "<html>503</html>", reason: "PROVIDER_UNAVAILABLE" },
      { name: "a gateway timeout (504)", status: 504, body: "<html>504</html>", reason: "PROVIDER_TIMEOUT" },
    ],
    failures: [
      {
        name: "an error between the chunks",
        wire: `${delta({ content: "Hi" })}data: ${JSON.stringify({ object: "error", message: "oops", type: "internal", param: null, code: "1000" })}\n\n`,
        whole: eitherOr,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "the finish reason error",
        wire: delta({ content: "Hi" }) + end("error"),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an end without a finish reason",
        wire: delta({ content: "Hi" }),
        whole: wholeAnyway,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "a chunk that is not JSON",
        wire: `${delta({ content: "Hi" })}data: {"choices\n\n`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    replay: {
      wire:
        delta(thinking("Two cities.", { signature: "sig-1" })) +
        delta({ content: "Looking." }) +
        delta({ content: null, tool_calls: twoCalls }) +
        end("tool_calls"),
      results: { weather: "rain" },
      field: "messages",
      sent: [
        { role: "user", content: "hello" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: [{ type: "text", text: "Two cities." }], signature: "sig-1", closed: true },
            { type: "text", text: "Looking." },
          ],
          tool_calls: twoCalls.map((each) => ({ ...each, type: "function" })),
        },
        { role: "tool", tool_call_id: "gSIMJiOkT", content: "rain" },
        { role: "tool", tool_call_id: "a1B2c3D4e", content: "rain" },
      ],
    },
    everything: {
      request: ask(`mistral/${providerModel}`, "first", {
        messages: [
          { role: Role.SYSTEM, parts: [text("be brief")] },
          { role: Role.DEVELOPER, parts: [text("be kind")] },
          {
            role: Role.USER,
            parts: [
              text("look"),
              {
                kind: {
                  case: "media",
                  value: {
                    source: { case: "data", value: Uint8Array.of(1) },
                    mediaType: "image/png",
                    detail: MediaDetail.LOW,
                  },
                },
              },
              { kind: { case: "media", value: { source: { case: "url", value: "https://x.test/a.jpg" } } } },
              {
                kind: {
                  case: "media",
                  value: { source: { case: "data", value: Uint8Array.of(2) }, mediaType: "audio/mpeg" },
                },
              },
              {
                kind: {
                  case: "media",
                  value: { source: { case: "url", value: "https://x.test/a.pdf" }, filename: "a.pdf" },
                },
              },
              {
                kind: {
                  case: "media",
                  value: { source: { case: "data", value: Uint8Array.of(3) }, mediaType: "application/pdf" },
                },
              },
            ],
          },
        ],
        parameters: {
          temperature: 0.5,
          topP: 0.9,
          maxOutputTokens: 100,
          stopSequences: ["END"],
          n: 2,
          seedValue: { case: "seed", value: 42n },
          presencePenalty: 0.1,
          frequencyPenalty: -0.2,
        },
        tools: [
          functionTool({ name: "now" }),
          functionTool({ name: "weather", description: "d", parametersJsonSchema: '{"type":"object"}', strict: true }),
        ],
        toolChoice: { choice: { case: "toolName", value: "weather" } },
        parallelToolCalls: false,
        outputFormat: {
          format: { case: "jsonSchema", value: { name: "s", description: "e", schemaJson: "{}", strict: true } },
        },
        reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } },
        prediction: { content: "p" },
        serviceTier: "auto",
        promptCacheKey: "k",
        providerOptions: { mistral: { safe_prompt: true }, openai: { verbosity: "low" } },
      }),
      sent: {
        model: providerModel,
        messages: [
          { role: "system", content: "be brief" },
          { role: "system", content: "be kind" },
          {
            role: "user",
            content: [
              { type: "text", text: "look" },
              { type: "image_url", image_url: { url: "data:image/png;base64,AQ==", detail: "low" } },
              { type: "image_url", image_url: { url: "https://x.test/a.jpg" } },
              { type: "input_audio", input_audio: "Ag==" },
              { type: "document_url", document_url: "https://x.test/a.pdf", document_name: "a.pdf" },
              { type: "document_url", document_url: "data:application/pdf;base64,Aw==" },
            ],
          },
        ],
        stream: true,
        temperature: 0.5,
        top_p: 0.9,
        max_tokens: 100,
        stop: ["END"],
        n: 2,
        random_seed: 42,
        presence_penalty: 0.1,
        frequency_penalty: -0.2,
        tools: [
          { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
          {
            type: "function",
            function: { name: "weather", description: "d", parameters: { type: "object" }, strict: true },
          },
        ],
        tool_choice: { type: "function", function: { name: "weather" } },
        parallel_tool_calls: false,
        response_format: {
          type: "json_schema",
          json_schema: { name: "s", description: "e", schema: {}, strict: true },
        },
        reasoning_effort: "high",
        prediction: { type: "content", content: "p" },
        service_tier: "auto",
        prompt_cache_key: "k",
        safe_prompt: true,
      },
    },
    limited: [
      {
        name: "unsupported fields, a high temperature",
        request: ask("m", "hi", {
          parameters: {
            temperature: 1.5,
            topK: 4,
            minP: 0.1,
            minOutputTokens: 3,
            repetitionPenalty: 1.2,
            logprobs: true,
            topLogprobs: 2,
            logitBias: { 1: 2 },
          },
          user: "u",
          reasoning: { control: { case: "budgetTokens", value: 10 } },
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_output_tokens" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_k" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_p" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.repetition_penalty" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.logprobs" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_logprobs" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.logit_bias" },
          { kind: "UNSUPPORTED_PARAMETER", field: "reasoning.budget_tokens" },
          { kind: "UNSUPPORTED_PARAMETER", field: "user" },
          { kind: "ADJUSTED", field: "parameters.temperature" },
        ],
      },
      {
        name: "an unsupported effort and regex output",
        request: ask("m", "hi", {
          reasoning: { control: { case: "effort", value: ReasoningEffort.LOW } },
          outputFormat: { format: { case: "regex", value: { pattern: "a+" } } },
        }),
        adaptations: [
          { kind: "REJECTED", field: "output_format.regex" },
          { kind: "REJECTED", field: "reasoning.effort" },
        ],
      },
      {
        name: "unsupported media",
        request: ask("m", "hi", {
          messages: [
            {
              role: Role.USER,
              parts: [
                {
                  kind: {
                    case: "media",
                    value: { source: { case: "data", value: Uint8Array.of(1) }, mediaType: "video/mp4" },
                  },
                },
                { kind: { case: "media", value: { source: { case: "url", value: "https://x.test/a.mp3" } } } },
                { kind: { case: "media", value: { source: { case: "url", value: "file:///etc/passwd" } } } },
              ],
            },
          ],
        }),
        adaptations: [
          { kind: "REJECTED", field: "messages[0].parts[0].media" },
          { kind: "REJECTED", field: "messages[0].parts[1].media" },
          { kind: "REJECTED", field: "messages[0].parts[2].media" },
        ],
      },
      {
        name: "a name and a user after a tool result",
        request: ask("m", "hi", {
          messages: [
            { role: Role.USER, name: "ann", parts: [text("hi")] },
            { role: Role.ASSISTANT, parts: [call("c1", "now", "{}")] },
            { role: Role.TOOL, parts: [{ kind: { case: "toolResult", value: { toolCallId: "c1" } } }] },
            { role: Role.USER, parts: [text("never mind")] },
          ],
        }),
        adaptations: [
          { kind: "EMULATED", field: "messages[0].name" },
          { kind: "EMULATED", field: "messages[3].role" },
        ],
      },
    ],
  },
];

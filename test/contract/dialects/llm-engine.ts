import { create } from "@bufbuild/protobuf";
import type { UpstreamTimeouts } from "../../../src/config/provider.ts";
import { Secret } from "../../../src/config/secret.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { createLlmEngineAdapter } from "../../../src/providers/llm-engine/index.ts";
import { ask } from "../../support/requests.ts";
import type { Dialect, ErrorCase } from "../dialect.ts";

const source = "scaleapi/llm-engine at a8236961, model_engine_server/common/dtos/llms";

const model: Model = create(ModelSchema, {
  id: "llm-engine/llama-3-8b-instruct",
  provider: "llm-engine",
  providerModel: "llama-3-8b-instruct",
});

export function createLlmEngine(
  baseUrl: string,
  options: Readonly<Record<string, unknown>> = {},
  timeouts: Partial<UpstreamTimeouts> = {},
): Adapter {
  return createLlmEngineAdapter({
    name: "llm-engine",
    baseUrl,
    apiKey: new Secret("the-key"),
    headers: {},
    timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000, ...timeouts },
    maxConnections: 4,
    options,
  });
}

/** As sse-starlette frames it: https://github.com/sysid/sse-starlette */
function events(...data: readonly object[]): string {
  return data.map((value) => `data: ${JSON.stringify(value)}\r\n\r\n`).join("");
}
const ping = ": ping - 2026-11-21 00:00:15.000000+00:00\r\n\r\n";

const errorEvent = (status: number, error: string) => ({
  error: { status_code: status, content: { error, timestamp: "2026-11-21 00:00:00 PST" } },
});

const thought = (text: string) => ({ kind: { case: "reasoning" as const, value: { text } } });
const says = (text: string) => ({ kind: { case: "text" as const, value: text } });
const message = (role: Role, text: string): Message => create(MessageSchema, { role, parts: [says(text)] });

/** The same for both APIs: FastAPI's bodies. */
const errors: readonly ErrorCase[] = [
  {
    name: "an inference type that the endpoint does not have",
    status: 400,
    body: { detail: "The specified endpoint is not a streaming endpoint." },
    reason: "INVALID_REQUEST",
  },
  { name: "a bad key", status: 401, body: { detail: "Invalid API key" }, reason: "PROVIDER_CREDENTIALS_REJECTED" },
  {
    name: "an endpoint that is not there, or not ours",
    status: 404,
    body: { detail: "The specified endpoint could not be found." },
    reason: "MODEL_NOT_FOUND",
  },
  { name: "a wrong address", status: 404, body: { detail: "Not Found" }, reason: "PROVIDER_FAULT" },
  { name: "an endpoint without workers", status: 410, body: { detail: "deprecated" }, reason: "MODEL_NOT_FOUND" },
  {
    name: "a value out of range",
    status: 422,
    body: { detail: [{ type: "less_than_equal", loc: ["body", "temperature"], msg: "too large", input: 1.5 }] },
    reason: "INVALID_REQUEST",
  },
  {
    name: "a full queue",
    status: 429,
    headers: { "retry-after": "2" },
    body: { detail: "Too many requests" },
    reason: "PROVIDER_RATE_LIMITED",
    retryAfterMs: 2_000,
  },
  {
    name: "any failure behind the engine, whatever its cause",
    status: 500,
    body: { detail: "Internal error occurred. Our team has been notified." },
    reason: "PROVIDER_UNAVAILABLE",
  },
  { name: "no worker yet", status: 503, body: "<html>no healthy upstream</html>", reason: "PROVIDER_UNAVAILABLE" },
  { name: "a gateway that waited too long", status: 504, body: "upstream timeout", reason: "PROVIDER_TIMEOUT" },
];

const chunk = (choices: readonly object[], more: object = {}) => ({
  id: "chatcmpl-1",
  choices,
  created: 1_790_000_000,
  model: "llama-3-8b-instruct",
  object: "chat.completion.chunk",
  ...more,
});
const delta = (fields: object, index = 0) => chunk([{ delta: fields, index }]);
const finish = (reason: string, more: object = {}, index = 0) =>
  chunk([{ delta: { content: "" }, finish_reason: reason, index, ...more }]);
const start = delta({ content: "", role: "assistant" });
const counts = (more: object = {}) =>
  chunk([], { usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9, ...more } });
const stopped = (parts: readonly (ReturnType<typeof says> | ReturnType<typeof thought>)[]) => [
  {
    index: 0,
    message: { role: Role.ASSISTANT, parts: [...parts] },
    finishReason: FinishReason.STOP,
    providerFinishReason: "stop",
  },
];
const toolCall = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});
const calls = (index: number, fields: object) => delta({ tool_calls: [{ index, ...fields }] });
const called = [
  start,
  calls(0, { id: "call_a", type: "function", function: { name: "weather", arguments: "" } }),
  calls(1, { id: "call_b", type: "function", function: { name: "time", arguments: '{"zone":' } }),
  calls(0, { function: { arguments: '{"b":1,"a":2}' } }),
  calls(1, { function: { arguments: '"CET"}' } }),
  finish("tool_calls"),
];
const afterCalls = (...parts: readonly ReturnType<typeof toolCall>[]) => [
  {
    index: 0,
    message: { role: Role.ASSISTANT, parts: [...parts] },
    finishReason: FinishReason.TOOL_CALLS,
    providerFinishReason: "tool_calls",
  },
];
const weather = { name: "weather", description: "Tells it", parametersJsonSchema: '{"type":"object"}' };

/** v2: chat completions. */
export const llmEngineDialect: Dialect = {
  name: "llm-engine",
  provenance: `v2 of ${source}, api/v2/chat_completion.py`,
  model,
  create: (baseUrl) => createLlmEngine(baseUrl),
  answers: {
    "plain text": {
      wire: events(start, delta({ content: "Grüße, " }), delta({ content: "世界" }), finish("stop")),
      completion: { choices: stopped([says("Grüße, 世界")]) },
    },
    "empty text": { wire: events(start, finish("stop")), completion: { choices: stopped([]) } },
    "two parallel tool calls with interleaved fragments": {
      wire: events(...called),
      completion: {
        choices: afterCalls(
          toolCall("call_a", "weather", '{"b":1,"a":2}'),
          toolCall("call_b", "time", '{"zone":"CET"}'),
        ),
      },
    },
    "a tool call without arguments": {
      wire: events(start, calls(0, { id: "call_a", function: { name: "now", arguments: "" } }), finish("tool_calls")),
      completion: { choices: afterCalls(toolCall("call_a", "now", "{}")) },
    },
    "reasoning, then text": {
      wire: events(start, delta({ reasoning_content: "Hm. " }), delta({ content: "Yes" }), finish("stop")),
      completion: { choices: stopped([thought("Hm. "), says("Yes")]) },
    },
    "reasoning with a signature": { why: "vLLM and SGLang sign nothing" },
    "redacted reasoning": { why: "vLLM and SGLang hide nothing" },
    "a refusal": { why: "open models refuse in their text" },
    "a content filter": {
      wire: events(start, delta({ content: "No" }), finish("content_filter")),
      completion: {
        choices: [
          {
            index: 0,
            message: { role: Role.ASSISTANT, parts: [says("No")] },
            finishReason: FinishReason.CONTENT_FILTER,
            providerFinishReason: "content_filter",
          },
        ],
      },
    },
    "a length stop": {
      wire: events(start, delta({ content: "One" }), finish("length")),
      completion: {
        choices: [
          {
            index: 0,
            message: { role: Role.ASSISTANT, parts: [says("One")] },
            finishReason: FinishReason.LENGTH,
            providerFinishReason: "length",
          },
        ],
      },
    },
    "a matched stop sequence": {
      wire: events(start, delta({ content: "One" }), finish("stop", { stop_reason: "\n\n" })),
      completion: { choices: stopped([says("One")]).map((choice) => ({ ...choice, matchedStopSequence: "\n\n" })) },
    },
    "usage in the last chunk": {
      wire: events(start, delta({ content: "Hi" }), finish("stop"), counts()),
      completion: {
        choices: stopped([says("Hi")]),
        usage: { inputTokens: 7, outputTokens: 2, totalTokens: 9, quality: UsageQuality.EXACT },
      },
    },
    "usage on the finish chunk": { why: "vLLM sends it in a chunk of its own" },
    "usage split over two events": { why: "there is one count" },
    "no usage": {
      wire: events(start, delta({ content: "Hi" }), finish("stop")),
      completion: { choices: stopped([says("Hi")]), usage: undefined },
    },
    "cached, cache-write and reasoning tokens": {
      wire: events(
        start,
        delta({ content: "Hi" }),
        finish("stop"),
        counts({ prompt_tokens_details: { cached_tokens: 4 } }),
      ),
      completion: {
        choices: stopped([says("Hi")]),
        usage: {
          inputTokens: 7,
          cachedInputTokens: 4,
          outputTokens: 2,
          totalTokens: 9,
          quality: UsageQuality.EXACT,
        },
      },
    },
    "log probabilities": {
      request: { parameters: { logprobs: true, topLogprobs: 1 } },
      wire: events(
        start,
        chunk([
          {
            delta: { content: "Hi" },
            index: 0,
            logprobs: {
              content: [
                {
                  token: "Hi",
                  logprob: -0.25,
                  bytes: [72, 105],
                  top_logprobs: [{ token: "Hi", logprob: -0.25, bytes: [72, 105] }],
                },
              ],
            },
          },
        ]),
        finish("stop"),
      ),
      completion: {
        choices: stopped([says("Hi")]).map((choice) => ({
          ...choice,
          logprobs: {
            tokens: [
              {
                token: "Hi",
                logprob: -0.25,
                bytes: Uint8Array.of(72, 105),
                topLogprobs: [{ token: "Hi", logprob: -0.25, bytes: Uint8Array.of(72, 105) }],
              },
            ],
          },
        })),
      },
    },
    "two choices": {
      request: { parameters: { n: 2 } },
      wire: events(
        start,
        delta({ content: "a" }),
        delta({ content: "b" }, 1),
        finish("stop", {}, 1),
        delta({ content: "A" }),
        finish("stop"),
      ),
      completion: {
        choices: [...stopped([says("aA")]), ...stopped([says("b")]).map((choice) => ({ ...choice, index: 1 }))],
      },
    },
    "an unknown event and unknown fields": {
      wire: `event: news\r\n${events(chunk([], { kv_transfer: { a: 1 } }))}${events(delta({ content: "Hi", mood: 1 }), finish("stop"))}`,
      completion: { choices: stopped([says("Hi")]) },
    },
    "an unknown finish reason": {
      wire: events(start, delta({ content: "Hi" }), finish("bored")),
      completion: {
        choices: [
          {
            index: 0,
            message: { role: Role.ASSISTANT, parts: [says("Hi")] },
            finishReason: FinishReason.OTHER,
            providerFinishReason: "bored",
          },
        ],
      },
    },
    "pings and comments": {
      wire: ping + events(start, delta({ content: "Hi" })) + ping + events(finish("stop")) + ping,
      completion: { choices: stopped([says("Hi")]) },
    },
  },
  errors,
  failures: [
    {
      name: "an error in the stream",
      wire: events(start, delta({ content: "Hi" }), errorEvent(500, "Upstream service error for request_id c4bf")),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "an end without a finish reason",
      wire: events(start, delta({ content: "Hi" })),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "something that is not JSON",
      wire: `${events(delta({ content: "Hi" }))}data: {"choi\r\n\r\n`,
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
  ],
  replay: {
    wire: events(delta({ reasoning_content: "Hm. " }), ...called),
    results: { weather: "rain", time: "noon" },
    field: "messages",
    sent: [
      { role: "user", content: "hello" },
      {
        role: "assistant",
        content: null,
        reasoning_content: "Hm. ",
        tool_calls: [
          { id: "call_a", type: "function", function: { name: "weather", arguments: '{"b":1,"a":2}' } },
          { id: "call_b", type: "function", function: { name: "time", arguments: '{"zone":"CET"}' } },
        ],
      },
      { role: "tool", tool_call_id: "call_a", content: "rain" },
      { role: "tool", tool_call_id: "call_b", content: "noon" },
    ],
  },
  everything: {
    request: ask(model.id, "hello", {
      parameters: {
        temperature: 1.5,
        topP: 0.9,
        topK: 40,
        minP: 0.1,
        maxOutputTokens: 64,
        minOutputTokens: 2,
        stopSequences: ["\n\n"],
        n: 2,
        seed: "12",
        presencePenalty: -0.5,
        frequencyPenalty: 0.5,
        repetitionPenalty: 1.1,
        logprobs: true,
        topLogprobs: 3,
        logitBias: { "5": -100 },
      },
      tools: [weather],
      toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } },
      parallelToolCalls: false,
      outputFormat: { format: { case: "regex", value: { pattern: "yes|no" } } },
      reasoning: { control: { case: "effort", value: ReasoningEffort.LOW } },
      chatTemplate: "{{ messages }}",
      chatTemplateKwargs: { enable_thinking: false },
      providerOptions: { "llm-engine": { priority: 1 } },
    }),
    sent: {
      model: "llama-3-8b-instruct",
      messages: [{ role: "user", content: "hello" }],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 1.5,
      top_p: 0.9,
      top_k: 40,
      min_p: 0.1,
      max_tokens: 64,
      min_tokens: 2,
      stop: ["\n\n"],
      n: 2,
      seed: 12,
      presence_penalty: -0.5,
      frequency_penalty: 0.5,
      repetition_penalty: 1.1,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { "5": -100 },
      tools: [
        { type: "function", function: { name: "weather", description: "Tells it", parameters: { type: "object" } } },
      ],
      tool_choice: "required",
      parallel_tool_calls: false,
      guided_regex: "yes|no",
      reasoning_effort: "low",
      chat_template: "{{ messages }}",
      chat_template_kwargs: { enable_thinking: false },
      priority: 1,
    },
  },
  limited: [
    {
      name: "fields that the engine does not have",
      request: ask(model.id, "hello", { user: "u", promptCacheKey: "k", serviceTier: "flex" }),
      adaptations: [
        { kind: "UNSUPPORTED_PARAMETER", field: "service_tier" },
        { kind: "UNSUPPORTED_PARAMETER", field: "prompt_cache_key" },
        { kind: "UNSUPPORTED_PARAMETER", field: "user" },
      ],
    },
    {
      name: "what it takes",
      request: ask(model.id, "hello", { parameters: { temperature: 2, n: 3 } }),
      adaptations: [],
    },
  ],
};

const output = (text: string, completionTokens: number | null, more: object = {}) => ({
  request_id: "c4bf",
  output: {
    text,
    finished: false,
    num_prompt_tokens: null,
    num_completion_tokens: completionTokens,
    token: null,
    ...more,
  },
  error: null,
});
const last = { finished: true, num_prompt_tokens: 7 };
const inferred = (text: string, finishReason = FinishReason.STOP) => [
  { index: 0, message: { role: Role.ASSISTANT, parts: text === "" ? [] : [says(text)] }, finishReason },
];
const notInV1 = { why: "v1 gives text and nothing else" };

/** v1: completions of a prompt that is written here. */
export const llmEngineCompletionsDialect: Dialect = {
  name: "llm-engine",
  provenance: `v1 of ${source}, api/llms_v1.py`,
  model,
  create: (baseUrl) => createLlmEngine(baseUrl, { api: "v1" }),
  answers: {
    "plain text": {
      wire: events(output("Grüße, ", 2), output("世界", 4, last)),
      completion: { choices: inferred("Grüße, 世界") },
    },
    "empty text": { wire: events(output("", 0, last)), completion: { choices: inferred("") } },
    "two parallel tool calls with interleaved fragments": notInV1,
    "a tool call without arguments": notInV1,
    "reasoning, then text": notInV1,
    "reasoning with a signature": notInV1,
    "redacted reasoning": notInV1,
    "a refusal": notInV1,
    "a content filter": notInV1,
    "a length stop": {
      request: { parameters: { maxOutputTokens: 3 } },
      wire: events(output("One ", 1), output("two", 3, last)),
      completion: { choices: inferred("One two", FinishReason.LENGTH) },
    },
    "a matched stop sequence": { why: "v1 does not tell which" },
    "usage in the last chunk": {
      wire: events(output("Hi", 1), output("!", 2, last)),
      completion: {
        choices: inferred("Hi!"),
        usage: { inputTokens: 7, outputTokens: 2, totalTokens: 9, quality: UsageQuality.EXACT },
      },
    },
    "usage on the finish chunk": {
      wire: events(output("Hi", 1, { finished: true, num_prompt_tokens: null })),
      completion: {
        choices: inferred("Hi"),
        // The prompt is estimated: a token of text, four for a message and three for the answer's beginning.
        usage: { inputTokens: 8, outputTokens: 1, totalTokens: 9, quality: UsageQuality.ESTIMATED },
      },
    },
    "usage split over two events": {
      wire: events(output("Hi", 1, { num_prompt_tokens: 7 }), output("!", 2, { finished: true })),
      completion: {
        choices: inferred("Hi!"),
        usage: { inputTokens: 7, outputTokens: 2, totalTokens: 9, quality: UsageQuality.EXACT },
      },
    },
    "no usage": {
      wire: events(output("Hi", null, { finished: true })),
      completion: { choices: inferred("Hi"), usage: undefined },
    },
    "cached, cache-write and reasoning tokens": { why: "v1 does not count them apart" },
    "log probabilities": {
      request: { parameters: { logprobs: true } },
      wire: events(
        output("Hi", 1, { token: { token: "Hi", log_prob: -0.25 } }),
        output("", 2, { ...last, token: { token: "</s>", log_prob: -1 } }),
      ),
      completion: {
        choices: inferred("Hi").map((choice) => ({
          ...choice,
          logprobs: {
            tokens: [
              { token: "Hi", logprob: -0.25 },
              { token: "</s>", logprob: -1 },
            ],
          },
        })),
      },
    },
    "two choices": { why: "v1 has no n: each choice is a call of its own" },
    "an unknown event and unknown fields": {
      wire: `event: news\r\n${events({ ...output("Hi", 1, { mood: 1 }), more: 1 })}${events(output("!", 2, last))}`,
      completion: { choices: inferred("Hi!") },
    },
    "an unknown finish reason": { why: "v1 gives no finish reason" },
    "pings and comments": {
      wire: ping + events(output("Hi", 1)) + ping + events(output("", 1, last)) + ping,
      completion: { choices: inferred("Hi") },
    },
  },
  errors,
  failures: [
    {
      name: "an error in the stream",
      wire: events(output("Hi", 1), { request_id: "c4bf", output: null, ...errorEvent(500, "Upstream service error") }),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "an error in the stream that has nothing else",
      wire: events(output("Hi", 1), { request_id: "c4bf", ...errorEvent(500, "Upstream service error") }),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    { name: "an end that was not told", wire: events(output("Hi", 1)), reason: "PROVIDER_STREAM_INTERRUPTED" },
    {
      name: "an event without output",
      wire: events(output("Hi", 1), { request_id: "c4bf" }),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "something that is not JSON",
      wire: `${events(output("Hi", 1))}data: {"outp\r\n\r\n`,
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
  ],
  replay: {
    wire: events(output("Hi ", 1), output("there", 2, last)),
    field: "prompt",
    sent: [
      "<|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>",
      "<|start_header_id|>assistant<|end_header_id|>\n\nHi there<|eot_id|>",
      "<|start_header_id|>user<|end_header_id|>\n\ngo on<|eot_id|>",
      "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ].join(""),
  },
  everything: {
    request: {
      ...ask(model.id, "hello", {
        parameters: {
          temperature: 0,
          topP: 0.9,
          topK: 0,
          maxOutputTokens: 64,
          stopSequences: ["\n\n"],
          presencePenalty: 0.5,
          frequencyPenalty: 1.5,
          logprobs: true,
        },
        outputFormat: { format: { case: "jsonSchema", value: { name: "n", schemaJson: '{"b":1e2,"a":2}' } } },
        providerOptions: { "llm-engine": { include_stop_str_in_output: true } },
      }),
      messages: [message(Role.SYSTEM, "Be brief."), message(Role.USER, "hello")],
    },
    sent: {
      prompt:
        "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      temperature: 0,
      top_p: 0.9,
      top_k: -1,
      max_new_tokens: 64,
      stop_sequences: ["\n\n"],
      presence_penalty: 0.5,
      frequency_penalty: 1.5,
      return_token_log_probs: true,
      guided_json: { b: 100, a: 2 },
      include_stop_str_in_output: true,
    },
  },
  limited: [
    {
      name: "the bound that v1 demands",
      request: ask(model.id, "hello"),
      adaptations: [{ kind: "EMULATED", field: "parameters.max_output_tokens" }],
    },
    {
      name: "fields that v1 does not have",
      request: ask(model.id, "hello", {
        user: "u",
        parameters: {
          maxOutputTokens: 9,
          n: 2,
          seed: "1",
          minP: 0.1,
          repetitionPenalty: 1.1,
          topLogprobs: 2,
          logitBias: { "1": 1 },
        },
      }),
      adaptations: [
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_p" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.seed" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.repetition_penalty" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_logprobs" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.logit_bias" },
        { kind: "UNSUPPORTED_PARAMETER", field: "user" },
      ],
    },
    {
      name: "values beyond v1's ranges",
      request: ask(model.id, "hello", {
        parameters: { maxOutputTokens: 9, temperature: 1.5, presencePenalty: -1, frequencyPenalty: -0.1 },
      }),
      adaptations: [
        { kind: "ADJUSTED", field: "parameters.temperature" },
        { kind: "REJECTED", field: "parameters.presence_penalty" },
        { kind: "REJECTED", field: "parameters.frequency_penalty" },
      ],
    },
    {
      name: "what changes the question",
      request: {
        ...ask(model.id, "hello", {
          parameters: { maxOutputTokens: 9 },
          tools: [weather],
          outputFormat: { format: { case: "jsonObject", value: {} } },
        }),
        messages: [
          create(MessageSchema, {
            role: Role.USER,
            parts: [{ kind: { case: "media", value: { mediaType: "image/png" } } }],
          }),
        ],
      },
      adaptations: [
        { kind: "EMULATED", field: "output_format.json_object" },
        { kind: "REJECTED", field: "tools" },
        { kind: "REJECTED", field: "messages[0].parts[0]" },
      ],
    },
  ],
};

import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ask } from "../../support/requests.ts";
import type { Dialect, ErrorCase } from "../dialect.ts";
import {
  answer,
  call,
  callsMean,
  declared,
  deltaEvent,
  done,
  event,
  everyField,
  failures,
  interleavedCalls,
  leftOut,
  means,
  modelOf,
  sentAnyway,
  sentByOpenAiNames,
  text,
  toolCall,
  usageOf,
  type Wire,
} from "./openai-fixtures.ts";

const wire: Wire = {
  envelope: { service_tier: "default", system_fingerprint: "fp_1", usage: null, obfuscation: "aZ3" },
  usagePlace: "last chunk",
};

const role = { role: "assistant", content: "", refusal: null };

const error = (name: string, status: number, type: string, code: string | null, reason: ErrorCase["reason"]) => ({
  name,
  status,
  body: { error: { message: "No.", type, param: null, code } },
  reason,
  code: code ?? type,
});

const model = modelOf("openai", "gpt-4o");
const token = (value: string) => ({ token: value, bytes: [...Buffer.from(value)], logprob: -0.25, top_logprobs: [] });

/** Every answer as OpenAI gives it, in the form that a server gives it. */
export function openAiAnswers(wire: Wire): Dialect["answers"] {
  return {
    "plain text": {
      wire: answer(wire, [role, { content: "Grüße, " }, { content: "世界 🌍" }], "stop"),
      completion: means([text("Grüße, 世界 🌍")]),
    },
    "empty text": { wire: answer(wire, [role], "stop"), completion: means([]) },
    "two parallel tool calls with interleaved fragments": {
      wire: answer(wire, interleavedCalls, "tool_calls"),
      completion: means(callsMean, [FinishReason.TOOL_CALLS, "tool_calls"]),
    },
    "a tool call without arguments": {
      wire: answer(wire, [{ tool_calls: [call(0, { name: "time", arguments: "" }, "call_a")] }], "tool_calls"),
      completion: means([toolCall("call_a", "time", "{}")], [FinishReason.TOOL_CALLS, "tool_calls"]),
    },
    "reasoning, then text": { why: "Chat Completions gives no reasoning" },
    "reasoning with a signature": { why: "Chat Completions gives no reasoning" },
    "redacted reasoning": { why: "Chat Completions gives no reasoning" },
    "a refusal": {
      wire: answer(wire, [role, { refusal: "I can't" }, { refusal: " help." }], "stop"),
      completion: means([{ kind: { case: "refusal", value: "I can't help." } }], [FinishReason.CONTENT_FILTER, "stop"]),
    },
    "a content filter": {
      wire: answer(wire, [role, { content: "Once" }], "content_filter"),
      completion: means([text("Once")], [FinishReason.CONTENT_FILTER, "content_filter"]),
    },
    "a length stop": {
      wire: answer(wire, [role, { content: "Once" }], "length"),
      completion: means([text("Once")], [FinishReason.LENGTH, "length"]),
    },
    "a matched stop sequence": { why: "OpenAI does not tell which one matched" },
    "usage in the last chunk": {
      wire: answer(wire, [role, { content: "Hi" }], "stop"),
      completion: means([text("Hi")], undefined, { usage: usageOf(9, 5) }),
    },
    "usage on the finish chunk": { why: "it is in a chunk of its own" },
    "usage split over two events": { why: "it is in one chunk" },
    "no usage": {
      wire: answer({ ...wire, usagePlace: "nowhere" }, [role, { content: "Hi" }], "stop"),
      completion: { ...means([text("Hi")]), usage: undefined },
    },
    "cached, cache-write and reasoning tokens": {
      wire: answer(
        {
          ...wire,
          usage: {
            prompt_tokens: 90,
            completion_tokens: 50,
            total_tokens: 140,
            prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20, audio_tokens: 0 },
            completion_tokens_details: {
              reasoning_tokens: 40,
              audio_tokens: 0,
              accepted_prediction_tokens: 2,
              rejected_prediction_tokens: 3,
            },
          },
        },
        [role, { content: "Hi" }],
        "stop",
      ),
      completion: means([text("Hi")], undefined, {
        usage: usageOf(90, 50, {
          cachedInputTokens: 30,
          cacheWriteInputTokens: 20,
          reasoningTokens: 40,
          acceptedPredictionTokens: 2,
          rejectedPredictionTokens: 3,
        }),
      }),
    },
    "log probabilities": {
      request: { parameters: { logprobs: true, topLogprobs: 1 } },
      wire: [
        event({
          choices: [
            {
              index: 0,
              delta: { content: "Hi" },
              logprobs: {
                content: [{ ...token("Hi"), top_logprobs: [{ token: "Yo", bytes: null, logprob: -9999 }] }],
                refusal: null,
              },
              finish_reason: null,
            },
          ],
        }),
        answer(wire, [], "stop"),
      ].join(""),
      completion: means([text("Hi")], undefined, {
        choice: {
          logprobs: {
            tokens: [
              {
                token: "Hi",
                bytes: Uint8Array.of(72, 105),
                logprob: -0.25,
                topLogprobs: [{ token: "Yo", logprob: -9999 }],
              },
            ],
          },
        },
      }),
    },
    "two choices": {
      request: { parameters: { n: 2 } },
      wire: [
        event({ choices: [{ index: 1, delta: { content: "b" } }] }),
        event({ choices: [{ index: 0, delta: { content: "a" } }] }),
        event({ choices: [{ index: 1, delta: { content: "B" } }] }),
        event({ choices: [{ index: 0, delta: {}, finish_reason: "length" }] }),
        event({ choices: [{ index: 1, delta: {}, finish_reason: "stop" }] }),
        event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 } }),
        done,
      ].join(""),
      completion: {
        choices: [
          ...(means([text("a")], [FinishReason.LENGTH, "length"]).choices ?? []),
          ...(means([text("bB")], undefined, { choice: { index: 1 } }).choices ?? []),
        ],
        usage: usageOf(3, 3),
      },
    },
    "an unknown event and unknown fields": {
      wire: [
        'event: later\ndata: {"id":"x","moderation":{"flagged":false}}\n\n',
        answer({ ...wire, choice: { later: [1] } }, [{ ...role, later: {} }, { content: "Hi" }], "stop"),
      ].join(""),
      completion: means([text("Hi")]),
    },
    "an unknown finish reason": {
      wire: answer(wire, [role, { content: "Hi" }], "tired"),
      completion: means([text("Hi")], [FinishReason.OTHER, "tired"]),
    },
    "pings and comments": {
      wire: `: keep-alive\n\n${deltaEvent(wire, role)}: ping\n\n:\n${answer(wire, [{ content: "Hi" }], "stop")}`,
      completion: means([text("Hi")]),
    },
  };
}

export const openAiDialect: Dialect = {
  name: "openai",
  provenance: "types of the npm package openai 7.55.0 and the API reference of 2026-11",
  model,
  create: declared("openai"),
  answers: {
    ...openAiAnswers(wire),
    "plain text": {
      wire: answer(wire, [role, { content: "Hi" }], "stop"),
      completion: { ...means([text("Hi")]), serviceTier: "default", systemFingerprint: "fp_1" },
    },
  },
  errors: [
    error("a parameter that the model lacks", 400, "invalid_request_error", "unsupported_parameter", "INVALID_REQUEST"),
    error("a value that the model lacks", 400, "invalid_request_error", "unsupported_value", "INVALID_REQUEST"),
    error("a long prompt", 400, "invalid_request_error", "context_length_exceeded", "CONTEXT_LENGTH_EXCEEDED"),
    error("a wrong key", 401, "invalid_request_error", "invalid_api_key", "PROVIDER_CREDENTIALS_REJECTED"),
    error("a country", 403, "request_forbidden", "unsupported_country", "PROVIDER_PERMISSION_DENIED"),
    error("an unknown model", 404, "invalid_request_error", "model_not_found", "MODEL_NOT_FOUND"),
    error("a timeout", 408, "timeout", null, "PROVIDER_UNAVAILABLE"),
    error("a conflict", 409, "conflict", null, "PROVIDER_UNAVAILABLE"),
    error("an invalid body", 422, "invalid_request_error", null, "INVALID_REQUEST"),
    {
      ...error("a rate limit", 429, "requests", "rate_limit_exceeded", "PROVIDER_RATE_LIMITED"),
      headers: { "retry-after-ms": "1500", "retry-after": "9" },
      retryAfterMs: 1500,
    },
    {
      ...error("a rise", 429, "rate_limit_error", "slow_down", "PROVIDER_RATE_LIMITED"),
      retryAfterMs: 3000,
      headers: { "retry-after": "3" },
    },
    error("a used up quota", 429, "insufficient_quota", "insufficient_quota", "PROVIDER_QUOTA_EXHAUSTED"),
    error("a used up balance", 429, "insufficient_quota", "credit_balance_exhausted", "PROVIDER_QUOTA_EXHAUSTED"),
    error("a fault", 500, "server_error", null, "PROVIDER_UNAVAILABLE"),
    { name: "a proxy's page", status: 502, body: "<html>Bad Gateway</html>", reason: "PROVIDER_UNAVAILABLE" },
    error("an overload", 503, "service_unavailable_error", "server_is_overloaded", "PROVIDER_UNAVAILABLE"),
    { name: "a gateway's timeout", status: 504, body: "<html></html>", reason: "PROVIDER_TIMEOUT" },
    { name: "a wrong address", status: 404, body: "<html>Not Found</html>", reason: "PROVIDER_FAULT" },
  ],
  failures: failures(wire),
  replay: {
    wire: answer(wire, [{ ...role, content: "I look." }, ...interleavedCalls], "tool_calls"),
    results: { weather: "rain", time: "noon" },
    field: "messages",
    sent: [
      { role: "user", content: "hello" },
      {
        role: "assistant",
        content: "I look.",
        tool_calls: [
          { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
          { id: "call_b", type: "function", function: { name: "time", arguments: '{"zone":"CET"}' } },
        ],
      },
      { role: "tool", tool_call_id: "call_a", content: "rain" },
      { role: "tool", tool_call_id: "call_b", content: "noon" },
    ],
  },
  everything: {
    request: everyField(model),
    sent: {
      ...sentAnyway(model),
      ...sentByOpenAiNames,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "developer", content: "Be kind." },
        { role: "user", name: "ann", content: "Look" },
      ],
      max_completion_tokens: 100,
      n: 2,
      logit_bias: { 50256: -100 },
      parallel_tool_calls: false,
      safety_identifier: "user-1",
      prompt_cache_key: "key-1",
      service_tier: "flex",
      prediction: { type: "content", content: "Rain." },
      stream_options: { include_usage: true, include_obfuscation: false },
    },
  },
  limited: [
    {
      name: "fields of open models",
      request: everyField(model),
      adaptations: leftOut(
        "parameters.min_output_tokens",
        "parameters.top_k",
        "parameters.min_p",
        "parameters.repetition_penalty",
        "reasoning.effort",
        "chat_template_kwargs",
      ),
    },
    {
      name: "raw reasoning, a budget and a template",
      request: ask("gpt-4o", "hello", {
        reasoning: { format: ReasoningFormat.RAW, control: { case: "budgetTokens", value: 5 } },
        chatTemplate: "x",
      }),
      adaptations: leftOut("reasoning.budget_tokens", "reasoning.format", "chat_template"),
    },
    {
      name: "a fifth stop sequence and a regular expression",
      request: ask("gpt-4o", "hello", {
        parameters: { stopSequences: ["1", "2", "3", "4", "5"] },
        outputFormat: { format: { case: "regex", value: { pattern: "a" } } },
        reasoning: { control: { case: "effort", value: ReasoningEffort.NONE } },
      }),
      adaptations: [
        ...leftOut("reasoning.effort"),
        { kind: "REJECTED", field: "parameters.stop_sequences" },
        { kind: "REJECTED", field: "output_format.regex" },
      ],
    },
  ],
};

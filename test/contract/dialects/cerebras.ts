import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ask } from "../../support/requests.ts";
import type { Dialect, ErrorCase } from "../dialect.ts";
import {
  answer,
  chatUsageCases,
  declared,
  deltaEvent,
  eitherOr,
  event,
  everyField,
  failures,
  leftOut,
  means,
  modelOf,
  sentAnyway,
  sentByOpenAiNames,
  text,
  thought,
  toolCall,
  usageOf,
  type Wire,
} from "../fixtures/chat-completions.ts";
import { openAiAnswers } from "../fixtures/chat-completions-answers.ts";
import { chatContent } from "../fixtures/chat-completions-content.ts";
import { chatConversation } from "../fixtures/conversations.ts";
import { chatCompletion } from "../whole/chat-completion.ts";

const wire: Wire = {
  envelope: { system_fingerprint: "fp_1" },
  usagePlace: "finish chunk",
  last: { time_info: { queue_time: 0.0001, prompt_time: 0.002, completion_time: 0.004, total_time: 0.01, created: 1 } },
};

const model = modelOf("cerebras", "gpt-oss-120b");

const flat = (name: string, status: number, code: string, reason: ErrorCase["reason"]): ErrorCase => ({
  name,
  status,
  body: { message: "No.", type: "invalid_request_error", param: "messages", code },
  reason,
  code,
});

export const dialects: readonly Dialect[] = [
  {
    name: "cerebras",
    provenance:
      "types and streaming client of @cerebras/cerebras_cloud_sdk 1.91.0, inference-docs.cerebras.ai of 2026-11",
    model,
    reader: "chat-completions",
    content: chatContent("cerebras"),
    conversation: chatConversation(),
    stops: { field: "stop", max: 4 },
    whole: chatCompletion(),
    create: declared("cerebras"),
    usage: chatUsageCases(wire),
    answers: {
      ...openAiAnswers(wire),
      "plain text": {
        // Chunks before the last one have no finish_reason field.
        wire: [
          event({ choices: [{ delta: { role: "assistant" }, index: 0 }], system_fingerprint: "fp_1" }),
          event({ choices: [{ delta: { content: "Hi" }, index: 0 }] }),
          answer(wire, [], "stop"),
        ].join(""),
        completion: { ...means([text("Hi")], undefined, { usage: usageOf(9, 5) }), systemFingerprint: "fp_1" },
      },
      "two parallel tool calls with interleaved deltas": {
        // Each chunk contains a complete call. The index may be null.
        wire: answer(
          wire,
          [
            {
              tool_calls: [
                {
                  id: "9a1f",
                  type: "function",
                  index: null,
                  function: { name: "weather", arguments: '{"city":"Oslo"}' },
                },
                {
                  id: "9a20",
                  type: "function",
                  index: null,
                  function: { name: "weather", arguments: '{"city":"Rome"}' },
                },
              ],
            },
          ],
          "tool_calls",
        ),
        completion: means(
          [toolCall("9a1f", "weather", '{"city":"Oslo"}'), toolCall("9a20", "weather", '{"city":"Rome"}')],
          [FinishReason.TOOL_CALLS, "tool_calls"],
        ),
      },
      "reasoning, then text": {
        wire: answer(wire, [{ role: "assistant" }, { reasoning: "H" }, { reasoning: "m." }, { content: "Hi" }], "stop"),
        completion: means([thought("Hm."), text("Hi")]),
      },
      "reasoning with a signature": { why: "Cerebras does not sign reasoning" },
      "redacted reasoning": { why: "Cerebras does not redact reasoning" },
      "a refusal": { why: "Cerebras does not mark refusals" },
      "usage in the last chunk": { why: "Cerebras sends usage on the finish chunk" },
      "usage on the finish chunk": {
        wire: answer(wire, [{ content: "Hi" }], "stop"),
        completion: means([text("Hi")], undefined, { usage: usageOf(9, 5) }),
      },
      "log probabilities": {
        request: { parameters: { logprobs: true } },
        wire: [
          deltaEvent(
            { ...wire, choice: { reasoning_logprobs: { content: [{ token: "Hm", bytes: null, logprob: -1 }] } } },
            { reasoning: "Hm" },
          ),
          deltaEvent({ ...wire, choice: { logprobs: { content: [{ token: "Hi", logprob: -2 }] } } }, { content: "Hi" }),
          answer(wire, [], "stop"),
        ].join(""),
        completion: means([thought("Hm"), text("Hi")], undefined, {
          choice: {
            logprobs: { tokens: [{ token: "Hi", logprob: -2 }] },
            reasoningLogprobs: { tokens: [{ token: "Hm", logprob: -1 }] },
          },
        }),
      },
    },
    errors: [
      flat("an unknown field", 400, "wrong_api_format", "INVALID_REQUEST"),
      flat("a long prompt", 400, "context_length_exceeded", "CONTEXT_LENGTH_EXCEEDED"),
      flat("an invalid API key", 401, "wrong_api_key", "PROVIDER_CREDENTIALS_REJECTED"),
      flat("a missing payment", 402, "payment_required", "PROVIDER_QUOTA_EXHAUSTED"),
      flat("a missing permission", 403, "forbidden", "PROVIDER_PERMISSION_DENIED"),
      flat("a retired model", 404, "model_not_found", "MODEL_NOT_FOUND"),
      flat("a timeout", 408, "request_timeout", "PROVIDER_UNAVAILABLE"),
      {
        name: "a value out of range",
        status: 422,
        body: { detail: [{ loc: ["body"], msg: "No." }] },
        reason: "INVALID_REQUEST",
      },
      {
        ...flat("a full queue", 429, "queue_exceeded", "PROVIDER_RATE_LIMITED"),
        headers: { "retry-after": "4" },
        retryAfterMs: 4000,
      },
      flat("an internal error", 500, "server_error", "PROVIDER_UNAVAILABLE"),
      flat("an unavailable service", 503, "unavailable", "PROVIDER_UNAVAILABLE"),
      {
        name: "invalid JSON from the model",
        status: 400,
        body: { message: "No.", type: "invalid_request_error", code: "json_failed", failed_generation: '{"a' },
        reason: "JSON_GENERATION_FAILED",
      },
    ],
    failures: [
      ...failures(wire),
      {
        name: "an error with status_code",
        wire: `${deltaEvent(wire, { content: "Hi" })}data: {"error":{"message":"Encountered a server error","type":"server_error","param":"","code":""},"status_code":500}\n\n`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an error without an error object",
        wire: `${deltaEvent(wire, { content: "Hi" })}data: {"message":"No.","type":"server_error","param":"","code":"x"}\n\n`,
        whole: eitherOr,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    replay: {
      wire: answer(
        wire,
        [
          { reasoning: "Hm." },
          {
            tool_calls: [
              { id: "9a1f", type: "function", function: { name: "weather", arguments: '{"city": "Oslo"}' } },
            ],
          },
        ],
        "tool_calls",
      ),
      results: { weather: "rain" },
      field: "messages",
      sent: [
        { role: "user", content: "hello" },
        {
          role: "assistant",
          content: null,
          reasoning: "Hm.",
          tool_calls: [{ id: "9a1f", type: "function", function: { name: "weather", arguments: '{"city": "Oslo"}' } }],
        },
        { role: "tool", tool_call_id: "9a1f", content: "rain" },
      ],
    },
    everything: {
      request: everyField(model, {
        reasoning: {
          control: { case: "effort", value: ReasoningEffort.HIGH },
          format: ReasoningFormat.HIDDEN,
          clearEarlierReasoning: false,
        },
        providerOptions: { cerebras: { own: 1, queue_threshold: 100 } },
      }),
      sent: {
        ...sentAnyway(model),
        ...sentByOpenAiNames,
        max_completion_tokens: 100,
        min_completion_tokens: 2,
        n: 2,
        logit_bias: { 50256: -100 },
        reasoning_effort: "high",
        reasoning_format: "hidden",
        clear_thinking: false,
        parallel_tool_calls: false,
        prediction: { type: "content", content: "Rain." },
        service_tier: "flex",
        prompt_cache_key: "key-1",
        user: "user-1",
        stream_options: { include_usage: true },
      },
    },
    limited: [
      {
        name: "unsupported fields",
        request: everyField(model),
        adaptations: leftOut(
          "parameters.top_k",
          "parameters.min_p",
          "parameters.repetition_penalty",
          "chat_template_kwargs",
        ),
      },
      {
        name: "an unsupported effort",
        request: ask(model.id, "hello", {
          reasoning: { control: { case: "effort", value: ReasoningEffort.MAX } },
        }),
        adaptations: [{ kind: "REJECTED", field: "reasoning.effort" }],
      },
      {
        name: "a queue threshold out of range",
        request: ask(model.id, "hello", {
          serviceTier: "flex",
          providerOptions: { cerebras: { queue_threshold: 49 } },
        }),
        adaptations: [{ kind: "REJECTED", field: "provider_options" }],
      },
      {
        name: "a queue threshold without a service tier",
        request: ask(model.id, "hello", { providerOptions: { cerebras: { queue_threshold: 50 } } }),
        adaptations: [{ kind: "REJECTED", field: "provider_options" }],
      },
    ],
  },
];

import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { providerCost } from "../../../src/providers/kit/usage.ts";
import { ask } from "../../support/requests.ts";
import type { Dialect } from "../dialect.ts";
import {
  answer,
  call,
  chatUsageCases,
  declared,
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

const wire: Wire = { envelope: { service_tier: "default" }, usagePlace: "finish chunk" };

const model = modelOf("deepinfra", "deepseek-ai/DeepSeek-V3");

const plainTool = {
  type: "function",
  function: { name: "weather", description: "Tells it", parameters: { type: "object" } },
};

export const dialects: readonly Dialect[] = [
  {
    name: "deepinfra",
    provenance: "DeepInfra's OpenAPI of 2026-05 and its documents of 2026-07",
    model,
    reader: "chat-completions",
    content: chatContent("deepinfra"),
    conversation: chatConversation(),
    stops: { field: "stop", max: 16 },
    whole: chatCompletion(),
    create: declared("deepinfra"),
    usage: chatUsageCases(wire),
    answers: {
      ...openAiAnswers(wire),
      "two parallel tool calls with interleaved deltas": {
        // Each chunk contains a complete call. In other chunks tool_calls may be null.
        wire: answer(
          wire,
          [
            {
              role: "assistant",
              content: null,
              tool_calls: [call(0, { name: "weather", arguments: '{"city": "Oslo"}' }, "call_X0")],
            },
            { tool_calls: null },
            { tool_calls: [call(1, { name: "weather", arguments: '{"city": "Rome"}' }, "call_X1")] },
          ],
          "tool_calls",
        ),
        completion: means(
          [toolCall("call_X0", "weather", '{"city": "Oslo"}'), toolCall("call_X1", "weather", '{"city": "Rome"}')],
          [FinishReason.TOOL_CALLS, "tool_calls"],
        ),
      },
      "reasoning, then text": {
        wire: answer(
          wire,
          [
            { role: "assistant", content: null, reasoning_content: "H" },
            { reasoning_content: "m." },
            { content: "Hi" },
          ],
          "stop",
        ),
        completion: means([thought("Hm."), text("Hi")]),
      },
      "reasoning with a signature": { why: "DeepInfra does not sign reasoning" },
      "redacted reasoning": { why: "DeepInfra does not redact reasoning" },
      "a refusal": { why: "DeepInfra does not mark refusals" },
      "usage in the last chunk": { why: "DeepInfra sends usage on the finish chunk" },
      "usage on the finish chunk": {
        wire: answer(
          { ...wire, usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, estimated_cost: 0.000012 } },
          [{ content: "Hi" }],
          "stop",
        ),
        completion: {
          ...means([text("Hi")], undefined, { usage: usageOf(10, 5, { cost: providerCost(0.000012) }) }),
          serviceTier: "default",
        },
      },
      "cached, cache-write and reasoning tokens": {
        // For Google models, completion_tokens does not include reasoning tokens.
        wire: answer(
          {
            ...wire,
            usage: {
              prompt_tokens: 10,
              completion_tokens: 84,
              total_tokens: 94,
              prompt_tokens_details: { cached_tokens: 4 },
              completion_tokens_details: { reasoning_tokens: 1081 },
            },
          },
          [{ content: "Hi" }],
          "stop",
        ),
        completion: means([text("Hi")], undefined, {
          usage: usageOf(10, 1165, { cachedInputTokens: 4, reasoningTokens: 1081 }),
        }),
      },
      "an unknown event and unknown fields": {
        // With continuous_usage_stats, every chunk contains usage.
        wire: [
          event({
            choices: [{ index: 0, delta: { content: "Hi" } }],
            usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
          }),
          answer(wire, [], "stop"),
        ].join(""),
        completion: means([text("Hi")], undefined, { usage: usageOf(9, 5) }),
      },
    },
    errors: [
      {
        name: "a value out of range",
        status: 422,
        body: { detail: [{ loc: ["body", "temperature"], msg: "No.", type: "less_than_equal" }] },
        reason: "INVALID_REQUEST",
      },
      { name: "a long prompt", status: 400, body: { detail: "too long" }, reason: "INVALID_REQUEST" },
      { name: "an invalid API key", status: 401, body: { detail: "No." }, reason: "PROVIDER_CREDENTIALS_REJECTED" },
      {
        name: "a bad API key in OpenAI's format",
        status: 401,
        body: { error: { message: "No." } },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
      },
      { name: "an empty balance", status: 402, body: { detail: "No." }, reason: "PROVIDER_QUOTA_EXHAUSTED" },
      {
        name: "a token without the required scope",
        status: 403,
        body: { detail: "No." },
        reason: "PROVIDER_PERMISSION_DENIED",
      },
      { name: "an unknown model", status: 404, body: { detail: "No." }, reason: "MODEL_NOT_FOUND" },
      {
        name: "a rate limit",
        status: 429,
        body: { detail: { error: "Rate limited" } },
        reason: "PROVIDER_RATE_LIMITED",
      },
      { name: "a rate limit in plain text", status: 429, body: "Rate limited", reason: "PROVIDER_RATE_LIMITED" },
      { name: "an internal error", status: 500, body: { error: "No." }, reason: "PROVIDER_UNAVAILABLE" },
      { name: "an overload", status: 503, body: { detail: "No." }, reason: "PROVIDER_UNAVAILABLE" },
    ],
    failures: [
      ...failures(wire),
      {
        name: "an error in `detail` instead of a chunk",
        wire: `${event({ choices: [{ index: 0, delta: { content: "Hi" } }] })}data: {"detail":{"error":"gone"}}\n\n`,
        whole: eitherOr,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    replay: {
      wire: answer(
        wire,
        [
          { reasoning_content: "Hm." },
          { tool_calls: [call(0, { name: "weather", arguments: '{"city": "Oslo"}' }, "call_X0")] },
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
          reasoning_content: "Hm.",
          tool_calls: [
            { id: "call_X0", type: "function", function: { name: "weather", arguments: '{"city": "Oslo"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_X0", content: "rain" },
      ],
    },
    everything: {
      request: everyField(model),
      sent: {
        ...sentAnyway(model),
        ...sentByOpenAiNames,
        tools: [plainTool],
        top_k: 40,
        min_p: 0.1,
        repetition_penalty: 1.1,
        max_tokens: 100,
        n: 2,
        reasoning_effort: "high",
        service_tier: "flex",
        prompt_cache_key: "key-1",
        chat_template_kwargs: { enable_thinking: false },
        user: "user-1",
        stream_options: { include_usage: true },
      },
    },
    limited: [
      {
        name: "every field",
        request: everyField(model),
        adaptations: [
          ...leftOut("parameters.min_output_tokens", "parameters.logit_bias", "parallel_tool_calls", "prediction"),
          { kind: "ADJUSTED", field: "tools" },
        ],
      },
      {
        name: "wrong values and an unsupported effort",
        request: ask(model.id, "hello", {
          parameters: { topK: 1000, maxOutputTokens: 1_000_001 },
          reasoning: { control: { case: "effort", value: ReasoningEffort.MINIMAL } },
        }),
        adaptations: [
          { kind: "ADJUSTED", field: "parameters.max_output_tokens" },
          { kind: "ADJUSTED", field: "parameters.top_k" },
          { kind: "REJECTED", field: "reasoning.effort" },
        ],
      },
    ],
  },
];

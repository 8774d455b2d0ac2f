import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import type { AnswerCase, CaseName, Dialect, ErrorCase, NotApplicable } from "../dialect.ts";
import {
  answer,
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
  plainUsage,
  sentAnyway,
  sentByOpenAiNames,
  text,
  thought,
  type UsageInit,
  usageOf,
  type Wire,
} from "./openai-fixtures.ts";

/** What sets one entry of the tables of compatible servers apart. */
interface Entry {
  readonly name: string;
  readonly model: string;
  readonly wire: Wire;
  /** A piece of reasoning in a delta. Undefined: the server gives none. */
  readonly reasoning?: (text: string) => object;
  /** The fields that send back the reasoning `Hm.` on a turn that calls tools. */
  readonly replayed: object;
  /** The finish word of an ordinary end. Default `stop`. */
  readonly finish?: string;
  /** The usage of its fixture, when it is not the plain one. */
  readonly usage?: UsageInit;
  readonly answers?: Partial<Record<CaseName, AnswerCase>>;
  readonly failures?: Dialect["failures"];
  readonly errors: readonly ErrorCase[];
  /** What differs of the request with every field. */
  readonly request?: Parameters<typeof everyField>[1];
  /** What is sent of it, beside what every server is sent. */
  readonly sent: object;
  readonly adaptations: Dialect["limited"][number]["adaptations"];
}

const provenance =
  "types of groq-sdk 1.6.0, together-ai 0.52.0 and openrouter-sdk 1.3.19, the @ai-sdk packages and the servers' sources of 2026-11";

const elsewhere: NotApplicable = { why: "the same as in the dialect of OpenAI" };

/** The dialect of one entry: what has its own names there. The rest is tested with OpenAI. */
export function compatibleDialect(entry: Entry): Dialect {
  const { name, wire, finish = "stop", usage = usageOf(9, 5), reasoning } = entry;
  const model = modelOf(name, entry.model);
  const stop = [FinishReason.STOP, finish] as const;
  const usageCase: AnswerCase = {
    wire: answer(wire, [{ role: "assistant", content: "Hi" }], finish),
    completion: means([text("Hi")], stop, { usage }),
  };
  const isLast = wire.usagePlace === "last chunk";
  const answers: Partial<Record<CaseName, AnswerCase | NotApplicable>> = {
    "plain text": {
      wire: answer(wire, [{ role: "assistant", content: "" }, { content: "Grüße, " }, { content: "世界 🌍" }], finish),
      completion: means([text("Grüße, 世界 🌍")], stop),
    },
    "two parallel tool calls with interleaved fragments": {
      wire: answer(wire, interleavedCalls, "tool_calls"),
      completion: means(callsMean, [FinishReason.TOOL_CALLS, "tool_calls"]),
    },
    "reasoning, then text": reasoning
      ? {
          wire: answer(wire, [{ role: "assistant", ...reasoning("H") }, reasoning("m."), { content: "Hi" }], finish),
          completion: means([thought("Hm."), text("Hi")], stop),
        }
      : { why: "the server gives no reasoning of its own" },
    [isLast ? "usage in the last chunk" : "usage on the finish chunk"]: usageCase,
    ...entry.answers,
  };
  const request = everyField(model, entry.request);
  return {
    name,
    provenance,
    model,
    create: declared(name),
    answers: { ...everywhereElse, ...answers },
    errors: entry.errors,
    failures: [...failures(wire), ...(entry.failures ?? [])],
    replay: {
      wire: answer(wire, [...(reasoning ? [reasoning("H"), reasoning("m.")] : []), ...interleavedCalls], "tool_calls"),
      results: { weather: "rain", time: "noon" },
      field: "messages",
      sent: [
        { role: "user", content: "hello" },
        {
          role: "assistant",
          content: null,
          ...entry.replayed,
          tool_calls: [
            { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
            { id: "call_b", type: "function", function: { name: "time", arguments: '{"zone":"CET"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_a", content: "rain" },
        { role: "tool", tool_call_id: "call_b", content: "noon" },
      ],
    },
    everything: { request, sent: { ...sentAnyway(model), ...entry.sent } },
    limited: [{ name: "every field", request, adaptations: entry.adaptations }],
  };
}

const everywhereElse: Dialect["answers"] = {
  "plain text": elsewhere,
  "empty text": elsewhere,
  "two parallel tool calls with interleaved fragments": elsewhere,
  "a tool call without arguments": elsewhere,
  "reasoning, then text": elsewhere,
  "reasoning with a signature": elsewhere,
  "redacted reasoning": elsewhere,
  "a refusal": elsewhere,
  "a content filter": elsewhere,
  "a length stop": elsewhere,
  "a matched stop sequence": elsewhere,
  "usage in the last chunk": elsewhere,
  "usage on the finish chunk": elsewhere,
  "usage split over two events": elsewhere,
  "no usage": elsewhere,
  "cached, cache-write and reasoning tokens": elsewhere,
  "log probabilities": elsewhere,
  "two choices": elsewhere,
  "an unknown event and unknown fields": elsewhere,
  "an unknown finish reason": elsewhere,
  "pings and comments": elsewhere,
};

const openAiError = (
  name: string,
  status: number,
  reason: ErrorCase["reason"],
  code = "",
  more: Partial<ErrorCase> = {},
): ErrorCase => ({
  name,
  status,
  body: { error: { message: "No.", type: "an_error", code: code || null } },
  reason,
  code: code || "an_error",
  ...more,
});

/** The type is the precise word, and there is no code. */
const moonshotError = (
  name: string,
  status: number,
  type: string,
  reason: ErrorCase["reason"],
  { message = "No." } = {},
): ErrorCase => ({ name, status, body: { error: { message, type } }, reason, code: type });

const autoChoice = { choice: { case: "mode" as const, value: ToolChoiceMode.AUTO } };
const asked = { include_usage: true };

const openModel = {
  ...sentByOpenAiNames,
  top_k: 40,
  min_p: 0.1,
  repetition_penalty: 1.1,
  logit_bias: { 50256: -100 },
};

const own = {
  ...openModel,
  reasoning_effort: "high",
  chat_template_kwargs: { enable_thinking: false },
  parallel_tool_calls: false,
  stream_options: asked,
};

const entries: readonly Entry[] = [
  {
    name: "groq",
    model: "openai/gpt-oss-120b",
    wire: { usagePlace: "x_groq", usage: { ...plainUsage, queue_time: 0.01, total_time: 0.2 } },
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning: "Hm." },
    errors: [
      openAiError("a tool call that does not parse", 400, "PROVIDER_FAULT", "tool_use_failed"),
      {
        name: "JSON that the model got wrong",
        status: 400,
        body: { error: { message: "No.", type: "x", code: "json_validate_failed", failed_generation: "{a" } },
        reason: "JSON_GENERATION_FAILED",
      },
      openAiError("a large request", 413, "INVALID_REQUEST"),
      openAiError("no capacity for the tier flex", 498, "PROVIDER_UNAVAILABLE", "capacity_exceeded"),
      openAiError("a rate limit", 429, "PROVIDER_RATE_LIMITED", "rate_limit_exceeded", {
        headers: { "retry-after": "2" },
        retryAfterMs: 2000,
      }),
    ],
    sent: {
      temperature: 0.7,
      top_p: 0.9,
      stop: ["END"],
      seed: sentByOpenAiNames.seed,
      max_completion_tokens: 100,
      reasoning_effort: "high",
      parallel_tool_calls: false,
      service_tier: "flex",
      user: "user-1",
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
      "parameters.repetition_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
      "parameters.logit_bias",
      "prediction",
      "prompt_cache_key",
      "chat_template_kwargs",
    ),
  },
  {
    name: "together",
    model: "deepseek-ai/DeepSeek-V3.1",
    wire: { usagePlace: "finish chunk", envelope: { warnings: [] } },
    finish: "eos",
    reasoning: (reasoning) => ({ reasoning, reasoning_content: reasoning, content: "" }),
    replayed: { reasoning_content: "Hm." },
    answers: {
      "log probabilities": {
        request: { parameters: { logprobs: true } },
        wire: [
          event({ choices: [{ index: 0, delta: { content: "Hi", token_id: 7 }, logprobs: -0.25 }] }),
          answer({ usagePlace: "finish chunk" }, [], "eos"),
        ].join(""),
        completion: means([text("Hi")], [FinishReason.STOP, "eos"], {
          choice: { logprobs: { tokens: [{ token: "Hi", logprob: -0.25 }] } },
        }),
      },
    },
    errors: [
      openAiError("a long prompt", 403, "CONTEXT_LENGTH_EXCEEDED"),
      openAiError("a spending limit", 402, "PROVIDER_QUOTA_EXHAUSTED"),
      { name: "an error as text", status: 429, body: { error: "slow down" }, reason: "PROVIDER_RATE_LIMITED" },
      openAiError("an overload", 503, "PROVIDER_UNAVAILABLE"),
    ],
    sent: {
      ...openModel,
      logprobs: 3,
      top_logprobs: undefined,
      max_tokens: 100,
      n: 2,
      reasoning_effort: "high",
      chat_template_kwargs: { enable_thinking: false },
      context_length_exceeded_behavior: "error",
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
    ),
  },
  {
    name: "fireworks",
    model: "accounts/fireworks/models/gpt-oss-120b",
    wire: { usagePlace: "finish chunk", last: { perf_metrics: {} } },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      {
        name: "a fault of the gateway",
        status: 500,
        body: { fault: { faultstring: "No.", detail: { errorcode: "x" } } },
        reason: "PROVIDER_UNAVAILABLE",
      },
      {
        name: "a wrong field",
        status: 422,
        body: { detail: [{ loc: ["body"], msg: "No." }] },
        reason: "INVALID_REQUEST",
      },
      { name: "a suspended account", status: 412, body: { error: "No." }, reason: "PROVIDER_QUOTA_EXHAUSTED" },
    ],
    sent: {
      ...openModel,
      seed: undefined,
      max_tokens: 100,
      n: 2,
      reasoning_effort: "high",
      service_tier: "flex",
      prompt_cache_key: "key-1",
      user: "user-1",
      context_length_exceeded_behavior: "error",
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.seed",
      "parallel_tool_calls",
      "prediction",
      "chat_template_kwargs",
    ),
  },
  {
    name: "openrouter",
    model: "anthropic/claude-sonnet-4.5",
    wire: { usagePlace: "last chunk", prefix: ": OPENROUTER PROCESSING\n\n", usage: { ...plainUsage, cost: 0.1 } },
    usage: usageOf(9, 5, { providerCostUsd: 0.1 }),
    reasoning: (reasoning) => ({ reasoning }),
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
    },
    failures: [
      {
        name: "an error beside a finish reason, and [DONE] after it",
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
        name: "an error in a 200",
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
        name: "moderation",
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
    ],
    sent: {
      ...openModel,
      max_completion_tokens: 100,
      reasoning: { effort: "high" },
      parallel_tool_calls: false,
      service_tier: "flex",
      prompt_cache_key: "key-1",
      user: "user-1",
      prediction: { type: "content", content: "Rain." },
      stream_options: asked,
    },
    adaptations: leftOut("parameters.min_output_tokens", "chat_template_kwargs"),
  },
  {
    name: "xai",
    model: "grok-4.5",
    wire: {
      usagePlace: "last chunk",
      usage: {
        prompt_tokens: 12,
        completion_tokens: 1,
        total_tokens: 303,
        prompt_tokens_details: { text_tokens: 12, cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 290 },
      },
      last: { citations: [] },
    },
    usage: usageOf(12, 291, { cachedInputTokens: 2, reasoningTokens: 290 }),
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      {
        name: "a flat error",
        status: 400,
        body: { code: "invalid argument", error: "No." },
        reason: "INVALID_REQUEST",
      },
      openAiError("an unknown model", 404, "MODEL_NOT_FOUND"),
      openAiError("a rate limit", 429, "PROVIDER_RATE_LIMITED"),
    ],
    sent: {
      ...sentByOpenAiNames,
      max_completion_tokens: 100,
      n: 2,
      reasoning_effort: "high",
      parallel_tool_calls: false,
      user: "user-1",
      stream_options: asked,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.repetition_penalty",
      "parameters.logit_bias",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "chat_template_kwargs",
    ),
  },
  {
    name: "deepseek",
    model: "deepseek-v4-pro",
    wire: {
      usagePlace: "finish chunk",
      prefix: ": keep-alive\n\n",
      usage: {
        ...plainUsage,
        prompt_cache_hit_tokens: 3,
        prompt_cache_miss_tokens: 6,
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    },
    usage: usageOf(9, 5, { cachedInputTokens: 3, reasoningTokens: 2 }),
    reasoning: (reasoning_content) => ({ reasoning_content, content: null }),
    replayed: { reasoning_content: "Hm." },
    failures: [
      {
        name: "a lack of resources",
        wire: answer({ usagePlace: "finish chunk" }, [{ content: "Hi" }], "insufficient_system_resource"),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [
      openAiError("an empty balance", 402, "PROVIDER_QUOTA_EXHAUSTED"),
      openAiError("a wrong parameter", 422, "INVALID_REQUEST"),
      openAiError("an overload", 503, "PROVIDER_UNAVAILABLE"),
    ],
    sent: {
      max_tokens: 100,
      stop: ["END"],
      thinking: { type: "enabled" },
      reasoning_effort: "high",
      user_id: "user-1",
      stream_options: asked,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.seed",
      "parameters.repetition_penalty",
      "parameters.logit_bias",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "chat_template_kwargs",
      "parameters.temperature",
      "parameters.top_p",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
    ),
  },
  {
    name: "moonshot",
    model: "kimi-k3",
    wire: {
      usagePlace: "last chunk",
      usage: {
        ...plainUsage,
        cached_tokens: 3,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    },
    usage: usageOf(9, 5, { cachedInputTokens: 3, reasoningTokens: 2 }),
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      moonshotError("a long prompt", 400, "invalid_request_error", "CONTEXT_LENGTH_EXCEEDED", {
        message: "Your request exceeded model token limit: 1048576",
      }),
      moonshotError("a forced tool", 400, "invalid_request_error", "INVALID_REQUEST"),
      moonshotError("a wrong key", 401, "incorrect_api_key_error", "PROVIDER_CREDENTIALS_REJECTED"),
      moonshotError("an unknown model", 404, "resource_not_found_error", "MODEL_NOT_FOUND"),
      moonshotError("an empty balance", 429, "exceeded_current_quota_error", "PROVIDER_QUOTA_EXHAUSTED"),
      moonshotError("a rate limit", 429, "rate_limit_reached_error", "PROVIDER_RATE_LIMITED"),
      moonshotError("an overload", 429, "engine_overloaded_error", "PROVIDER_UNAVAILABLE"),
      moonshotError("a failure", 500, "server_error", "PROVIDER_UNAVAILABLE"),
    ],
    sent: {
      max_completion_tokens: 100,
      stop: ["END"],
      reasoning_effort: "high",
      prompt_cache_key: "key-1",
      safety_identifier: "user-1",
      stream_options: asked,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.seed",
      "parameters.repetition_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
      "parameters.logit_bias",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "chat_template_kwargs",
      "parameters.temperature",
      "parameters.top_p",
      "parameters.presence_penalty",
      "parameters.frequency_penalty",
    ),
  },
  {
    name: "perplexity",
    model: "sonar-pro",
    // Beside the delta each chunk has the message so far.
    wire: { usagePlace: "every chunk", choice: { message: { role: "assistant", content: "whole" } } },
    replayed: {},
    errors: [openAiError("a wrong key", 401, "PROVIDER_CREDENTIALS_REJECTED")],
    request: { tools: [], toolChoice: undefined },
    sent: {
      temperature: 0.7,
      top_p: 0.9,
      top_k: 40,
      presence_penalty: 0.1,
      frequency_penalty: -0.2,
      max_tokens: 100,
      reasoning_effort: "high",
      tools: undefined,
      tool_choice: undefined,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.min_p",
      "parameters.stop_sequences",
      "parameters.seed",
      "parameters.repetition_penalty",
      "parameters.logprobs",
      "parameters.top_logprobs",
      "parameters.logit_bias",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
      "chat_template_kwargs",
    ),
  },
  {
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
        name: "an error whose code is a number, and [DONE] after it",
        wire: `${deltaEvent({ usagePlace: "last chunk" }, { content: "Hi" })}data: {"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}\n\n${done}`,
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [
      {
        name: "the old flat form",
        status: 400,
        body: { object: "error", message: "No.", type: "BadRequestError", param: null, code: 400 },
        reason: "INVALID_REQUEST",
      },
      { name: "a wrong key", status: 401, body: { error: "Unauthorized" }, reason: "PROVIDER_CREDENTIALS_REJECTED" },
      openAiError("an unknown model", 404, "MODEL_NOT_FOUND"),
    ],
    sent: { ...own, max_completion_tokens: 100, min_tokens: 2, n: 2 },
    adaptations: leftOut("prediction", "service_tier", "prompt_cache_key", "user"),
  },
  {
    name: "sglang",
    model: "qwen3",
    wire: { usagePlace: "last chunk", choice: { matched_stop: null } },
    reasoning: (reasoning_content) => ({ reasoning_content, tool_calls: null }),
    replayed: { reasoning_content: "Hm." },
    answers: {
      "a matched stop sequence": {
        wire: answer({ usagePlace: "last chunk" }, [{ content: "Hi" }], "stop", { matched_stop: "END" }),
        completion: means([text("Hi")], undefined, { choice: { matchedStopSequence: "END" } }),
      },
    },
    failures: [
      {
        name: "an abort",
        wire: answer({ usagePlace: "last chunk" }, [{ content: "Hi" }], "abort"),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    errors: [openAiError("a full queue", 503, "PROVIDER_UNAVAILABLE")],
    sent: { ...own, max_completion_tokens: 100, min_tokens: 2, n: 2 },
    adaptations: leftOut("prediction", "service_tier", "prompt_cache_key", "user"),
  },
  {
    name: "ollama",
    model: "qwen3",
    wire: { usagePlace: "last chunk" },
    reasoning: (reasoning) => ({ reasoning }),
    replayed: { reasoning: "Hm." },
    errors: [
      {
        name: "a model that was not pulled",
        status: 404,
        body: { error: { message: "No.", type: "not_found_error", param: null, code: null } },
        reason: "MODEL_NOT_FOUND",
      },
    ],
    request: { toolChoice: autoChoice },
    sent: {
      ...sentByOpenAiNames,
      max_tokens: 100,
      reasoning_effort: "high",
      stream_options: asked,
      tool_choice: undefined,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.top_k",
      "parameters.min_p",
      "parameters.repetition_penalty",
      "parameters.logit_bias",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
      "chat_template_kwargs",
    ),
  },
  {
    name: "llamacpp",
    model: "qwen3",
    wire: { usagePlace: "last chunk", last: { timings: { predicted_n: 5 } } },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [
      {
        name: "a long prompt",
        status: 400,
        body: { error: { code: 400, message: "No.", type: "exceed_context_size_error", n_prompt_tokens: 9, n_ctx: 8 } },
        reason: "CONTEXT_LENGTH_EXCEEDED",
      },
      openAiError("a model that loads", 503, "PROVIDER_UNAVAILABLE"),
    ],
    request: { toolChoice: autoChoice },
    sent: { ...own, repetition_penalty: undefined, repeat_penalty: 1.1, max_tokens: 100, tool_choice: "auto" },
    adaptations: leftOut("parameters.min_output_tokens", "prediction", "service_tier", "prompt_cache_key", "user"),
  },
  {
    name: "lmstudio",
    model: "qwen3",
    wire: { usagePlace: "last chunk" },
    reasoning: (reasoning_content) => ({ reasoning_content }),
    replayed: { reasoning_content: "Hm." },
    errors: [{ name: "an error as text", status: 400, body: { error: "No." }, reason: "INVALID_REQUEST" }],
    request: { toolChoice: autoChoice },
    sent: {
      ...sentByOpenAiNames,
      top_k: 40,
      logit_bias: { 50256: -100 },
      repeat_penalty: 1.1,
      max_tokens: 100,
      reasoning_effort: "high",
      tool_choice: "auto",
      stream_options: asked,
    },
    adaptations: leftOut(
      "parameters.min_output_tokens",
      "parameters.min_p",
      "parallel_tool_calls",
      "prediction",
      "service_tier",
      "prompt_cache_key",
      "user",
      "chat_template_kwargs",
    ),
  },
];

/** A dialect for each entry of the tables, except for those that have a file of their own. */
export const compatibleDialects: readonly Dialect[] = entries.map(compatibleDialect);

import { ReasoningEffort } from "../../../gen/dragoman/v1/reasoning_pb.js";
import { cerebrasSentences, readCerebrasError } from "./cerebras/errors.ts";
import { deepInfraReasons, readDeepInfraError } from "./deepinfra/errors.ts";
import { groqReasons, readGroqError } from "./groq/errors.ts";
import {
  asksForJson,
  cerebrasAdaptations,
  deepInfraAdaptations,
  deepSeekAdaptations,
  groqAdaptations,
  openAiAdaptations,
  xaiAdaptations,
} from "./limits.ts";
import { moonshotReasons, moonshotSentences } from "./moonshot/errors.ts";
import { moonshotAdaptations } from "./moonshot.ts";
import { basicFields, type CompatibleServer, commonFields, hostedServer, openModelFields } from "./server.ts";
import { xaiSentences } from "./xai/errors.ts";

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

/** OpenAI's own fields. Models since o1 refuse max_tokens, and no other OpenAI model needs it. */
export const openAiFields = {
  ...commonFields,
  "parameters.max_output_tokens": "max_completion_tokens",
  "parameters.n": "n",
  "parameters.logit_bias": "logit_bias",
  parallel_tool_calls: "parallel_tool_calls",
  prediction: "prediction",
  service_tier: "service_tier",
  prompt_cache_key: "prompt_cache_key",
  user: "safety_identifier",
} as const satisfies CompatibleServer["fields"];

/** OpenAI itself. */
export const openAi: CompatibleServer = {
  ...hostedServer,
  name: "openai",
  title: "OpenAI",
  baseUrl: "https://api.openai.com/v1",
  fields: openAiFields,
  openAiModel: (providerModel) => providerModel,
  developerRole: true,
  refusals: true,
  reasoningReplay: undefined,
  media: ["image", "image_url", "audio", "file"],
  maxStopSequences: 4,
  adaptations: openAiAdaptations,
  // Without the second, chunks are padded with random text.
  streamOptions: { include_usage: true, include_obfuscation: false },
};

/** Servers that others run and that speak OpenAI's dialect, OpenAI first. */
export const hostedServers: readonly CompatibleServer[] = [
  openAi,
  {
    ...hostedServer,
    name: "cerebras",
    title: "Cerebras",
    baseUrl: "https://api.cerebras.ai/v1",
    // What is not here is refused.
    fields: {
      ...commonFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.min_output_tokens": "min_completion_tokens",
      "parameters.n": "n",
      "parameters.logit_bias": "logit_bias",
      "reasoning.format": "reasoning_format",
      "reasoning.clear_earlier_reasoning": "clear_thinking",
      parallel_tool_calls: "parallel_tool_calls",
      prediction: "prediction",
      service_tier: "service_tier",
      prompt_cache_key: "prompt_cache_key",
      user: "user",
    },
    efforts: [NONE, LOW, MEDIUM, HIGH],
    // It refuses reasoning_content.
    reasoningReplay: "reasoning",
    maxStopSequences: 4,
    headerOptions: ["queue_threshold"],
    onlyWhole: asksForJson,
    adaptations: cerebrasAdaptations,
    sentences: cerebrasSentences,
    readError: readCerebrasError,
  },
  {
    ...hostedServer,
    name: "deepinfra",
    title: "DeepInfra",
    baseUrl: "https://api.deepinfra.com/v1/openai",
    fields: {
      ...commonFields,
      ...openModelFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.n": "n",
      service_tier: "service_tier",
      prompt_cache_key: "prompt_cache_key",
      chat_template_kwargs: "chat_template_kwargs",
      user: "user",
    },
    maximums: { "parameters.max_output_tokens": 1_000_000, "parameters.top_k": 999 },
    efforts: [NONE, LOW, MEDIUM, HIGH],
    media: ["image", "image_url", "audio"],
    regex: (pattern) => ({ response_format: { type: "regex", regex: pattern } }),
    maxStopSequences: 16,
    maxChoices: 4,
    topKOff: 0,
    cacheMarks: true,
    adaptations: deepInfraAdaptations,
    reasons: deepInfraReasons,
    readError: readDeepInfraError,
  },
  {
    ...hostedServer,
    name: "groq",
    title: "Groq",
    baseUrl: "https://api.groq.com/openai/v1",
    // Penalties, logprobs and logit_bias are typed, but no model has them; the latter two are refused.
    fields: {
      ...basicFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.stop_sequences": "stop",
      "parameters.seed": "seed",
      "reasoning.effort": "reasoning_effort",
      "reasoning.format": "reasoning_format",
      parallel_tool_calls: "parallel_tool_calls",
      service_tier: "service_tier",
      user: "user",
    },
    efforts: [NONE, LOW, MEDIUM, HIGH],
    reasoningReplay: "reasoning",
    maxStopSequences: 4,
    streamOptions: undefined,
    adaptations: groqAdaptations,
    reasons: groqReasons,
    readError: readGroqError,
  },
  {
    ...hostedServer,
    name: "together",
    title: "Together",
    baseUrl: "https://api.together.ai/v1",
    fields: {
      ...commonFields,
      ...openModelFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.n": "n",
      "parameters.logit_bias": "logit_bias",
      // One number says both: how many alternatives.
      "parameters.logprobs": (wanted) => (wanted === true ? { logprobs: 1 } : {}),
      "parameters.top_logprobs": (count) => (count === 0 ? {} : { logprobs: count }),
      "reasoning.effort": (effort) =>
        effort === "none" ? { reasoning: { enabled: false } } : { reasoning_effort: effort },
      chat_template_kwargs: "chat_template_kwargs",
    },
    efforts: [NONE, LOW, MEDIUM, HIGH],
    streamOptions: undefined,
    // Otherwise it shortens the answer without a word.
    alsoSend: () => ({ context_length_exceeded_behavior: "error" }),
    reasons: { 403: "CONTEXT_LENGTH_EXCEEDED" },
  },
  {
    ...hostedServer,
    name: "fireworks",
    title: "Fireworks",
    baseUrl: "https://api.fireworks.ai/inference/v1",
    fields: {
      ...basicFields,
      ...openModelFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.stop_sequences": "stop",
      "parameters.n": "n",
      "parameters.presence_penalty": "presence_penalty",
      "parameters.frequency_penalty": "frequency_penalty",
      // Always the boolean: a number asks for an older form of the answer.
      "parameters.logprobs": "logprobs",
      "parameters.top_logprobs": "top_logprobs",
      "parameters.logit_bias": "logit_bias",
      "reasoning.effort": "reasoning_effort",
      "reasoning.budget_tokens": (tokens) => ({ reasoning_effort: tokens === 0 ? "none" : tokens }),
      service_tier: "service_tier",
      prompt_cache_key: "prompt_cache_key",
      user: "user",
    },
    maximums: { "parameters.top_k": 100, "parameters.top_logprobs": 5, "parameters.repetition_penalty": 2 },
    efforts: [NONE, LOW, MEDIUM, HIGH],
    maxStopSequences: 4,
    topKOff: 0,
    streamOptions: undefined,
    // Otherwise it shortens the answer without a word.
    alsoSend: () => ({ context_length_exceeded_behavior: "error" }),
    // 412: the account is suspended.
    reasons: { 412: "PROVIDER_QUOTA_EXHAUSTED" },
  },
  {
    ...hostedServer,
    name: "openrouter",
    title: "OpenRouter",
    baseUrl: "https://openrouter.ai/api/v1",
    fields: {
      ...commonFields,
      ...openModelFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.logit_bias": "logit_bias",
      "reasoning.effort": (effort) => ({ reasoning: { effort } }),
      "reasoning.budget_tokens": (tokens) => ({
        reasoning: tokens === 0 ? { enabled: false } : { max_tokens: tokens },
      }),
      parallel_tool_calls: "parallel_tool_calls",
      prediction: "prediction",
      service_tier: "service_tier",
      prompt_cache_key: "prompt_cache_key",
      user: "user",
    },
    efforts: [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX],
    reasoningReplay: "reasoning_details",
    media: ["image", "image_url", "audio", "file"],
    maxStopSequences: 4,
    topKOff: 0,
    // Otherwise it drops what the model behind it lacks without a word.
    alsoSend: ({ strictParameters }) => (strictParameters ? { provider: { require_parameters: true } } : {}),
  },
  {
    ...hostedServer,
    name: "xai",
    title: "xAI",
    baseUrl: "https://api.x.ai/v1",
    // logit_bias is ignored.
    fields: {
      ...commonFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.n": "n",
      parallel_tool_calls: "parallel_tool_calls",
      user: "user",
    },
    efforts: [NONE, LOW, MEDIUM, HIGH],
    adaptations: xaiAdaptations,
    sentences: xaiSentences,
  },
  {
    ...hostedServer,
    name: "deepseek",
    title: "DeepSeek",
    baseUrl: "https://api.deepseek.com",
    fields: {
      ...basicFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.stop_sequences": "stop",
      "parameters.presence_penalty": "presence_penalty",
      "parameters.frequency_penalty": "frequency_penalty",
      "parameters.logprobs": "logprobs",
      "parameters.top_logprobs": "top_logprobs",
      "reasoning.effort": (effort) =>
        effort === "none"
          ? { thinking: { type: "disabled" } }
          : { thinking: { type: "enabled" }, reasoning_effort: effort },
      user: "user_id",
    },
    // Lower ones act as high.
    efforts: [NONE, HIGH, MAX],
    // Refused on the other turns by older models, required on these by all.
    reasoningReplay: "reasoning_content with calls",
    media: [],
    formats: ["jsonObject"],
    maxStopSequences: 16,
    adaptations: deepSeekAdaptations,
  },
  {
    ...hostedServer,
    name: "moonshot",
    title: "Moonshot",
    // https://platform.kimi.ai/docs/api/chat
    baseUrl: "https://api.moonshot.ai/v1",
    fields: {
      ...basicFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.stop_sequences": "stop",
      "parameters.presence_penalty": "presence_penalty",
      "parameters.frequency_penalty": "frequency_penalty",
      // Refused beside each other.
      "reasoning.effort": (effort) =>
        effort === "none" ? { thinking: { type: "disabled" } } : { reasoning_effort: effort },
      prompt_cache_key: "prompt_cache_key",
      user: (user) => ({ safety_identifier: user }),
    },
    // Newer models want all of it back, and models that think refuse calls without it. continuedev/continue#11600
    reasoningReplay: "reasoning_content also with calls",
    needsParameters: true,
    media: ["image"],
    maxStopSequences: 5,
    adaptations: moonshotAdaptations,
    reasons: moonshotReasons,
    sentences: moonshotSentences,
  },
  {
    ...hostedServer,
    name: "perplexity",
    title: "Perplexity",
    // https://docs.perplexity.ai/docs/sonar/openai-compatibility
    baseUrl: "https://api.perplexity.ai",
    fields: {
      ...basicFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.top_k": "top_k",
      "parameters.presence_penalty": "presence_penalty",
      "parameters.frequency_penalty": "frequency_penalty",
      "reasoning.effort": "reasoning_effort",
    },
    reasoningReplay: undefined,
    toolChoice: undefined,
    formats: ["jsonSchema"],
    topKOff: 0,
    // The usage is on every chunk.
    streamOptions: undefined,
  },
];

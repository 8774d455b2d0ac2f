import type { OptionalField } from "./fields.ts";

type Fields = Partial<Record<OptionalField, string>>;

/** Sampling fields that all Chat Completions servers support, with OpenAI's names. */
export const basicFields = {
  "parameters.temperature": "temperature",
  "parameters.top_p": "top_p",
} as const satisfies Fields;

/** Fields that most Chat Completions servers support, with OpenAI's names. */
export const commonFields = {
  ...basicFields,
  "parameters.stop_sequences": "stop",
  "parameters.seed": "seed",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.frequency_penalty": "frequency_penalty",
  "parameters.logprobs": "logprobs",
  "parameters.top_logprobs": "top_logprobs",
  "reasoning.effort": "reasoning_effort",
} as const satisfies Fields;

/** Sampling fields that many servers for open models support, in addition to `commonFields`. */
export const openModelFields = {
  "parameters.top_k": "top_k",
  "parameters.min_p": "min_p",
  "parameters.repetition_penalty": "repetition_penalty",
} as const satisfies Fields;

/** Fields that vLLM, SGLang and llama.cpp support. */
export const openServerFields = {
  ...commonFields,
  ...openModelFields,
  "parameters.logit_bias": "logit_bias",
  chat_template_kwargs: "chat_template_kwargs",
  parallel_tool_calls: "parallel_tool_calls",
} as const satisfies Fields;

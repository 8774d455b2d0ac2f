import type { OptionalField } from "../chat-completions/fields.ts";

/** Optional fields that Cohere supports, with Cohere's names. */
export const cohereFields = {
  "parameters.max_output_tokens": "max_tokens",
  "parameters.temperature": "temperature",
  "parameters.top_p": "p",
  "parameters.top_k": "k",
  "parameters.stop_sequences": "stop_sequences",
  "parameters.seed": "seed",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.frequency_penalty": "frequency_penalty",
  "parameters.logprobs": "logprobs",
} as const satisfies Partial<Record<OptionalField, string>>;

/** Minimum and maximum value of each field. Source: the type comments of cohere-ai 8.1.0, V2ChatStreamRequest. */
export const ranges = {
  // Source: the text of Cohere's error for a temperature outside this range.
  "parameters.temperature": [0, 1],
  "parameters.top_p": [0.01, 0.99],
  "parameters.top_k": [0, 500],
  "parameters.presence_penalty": [0, 1],
  "parameters.frequency_penalty": [0, 1],
} as const satisfies Partial<Record<keyof typeof cohereFields, readonly [number, number]>>;

/**
 * Penalties, which the adapter omits if they are 0. Some models reject a request with both fields ("cannot specify
 * both"); Cohere does not list these models. https://docs.cohere.com/reference/errors
 */
export const penalties: ReadonlySet<OptionalField> = new Set([
  "parameters.presence_penalty",
  "parameters.frequency_penalty",
] satisfies OptionalField[]);

/** Provider state of reasoning that came from a tool plan, so that the adapter sends it back as `tool_plan`. */
export const planMark = "tool_plan";

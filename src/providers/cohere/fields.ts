import type { OptionalField } from "../chat-completions/fields.ts";

/** The optional fields that Cohere takes by another name or in OpenAI's form, with its name for each. */
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

/** The least and the greatest value of a field. Source: the type comments of cohere-ai 8.1.0, V2ChatStreamRequest. */
export const ranges = {
  // By the text of the error.
  "parameters.temperature": [0, 1],
  "parameters.top_p": [0.01, 0.99],
  "parameters.top_k": [0, 500],
  "parameters.presence_penalty": [0, 1],
  "parameters.frequency_penalty": [0, 1],
} as const satisfies Partial<Record<keyof typeof cohereFields, readonly [number, number]>>;

/**
 * Some models take one of the two, without any list of which: both are sent, and such a model answers "cannot specify
 * both". One of 0 is left out, so that it is none of two. https://docs.cohere.com/reference/errors
 */
export const penalties: ReadonlySet<OptionalField> = new Set([
  "parameters.presence_penalty",
  "parameters.frequency_penalty",
] satisfies OptionalField[]);

export const maxStopSequences = 5;

/** Marks reasoning that came as the plan before tool calls, so that it goes back as that. */
export const planMark = "tool_plan";

import type { OptionalField } from "../chat-completions/fields.ts";
import { commonQuirks, type Quirks } from "../chat-completions/quirks.ts";

/** Optional fields that Mistral supports, with Mistral's names. */
export const mistralFields = {
  "parameters.max_output_tokens": "max_tokens",
  "parameters.temperature": "temperature",
  "parameters.top_p": "top_p",
  "parameters.stop_sequences": "stop",
  "parameters.n": "n",
  "parameters.seed": "random_seed",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.frequency_penalty": "frequency_penalty",
  "reasoning.effort": "reasoning_effort",
  parallel_tool_calls: "parallel_tool_calls",
  prediction: "prediction",
  service_tier: "service_tier",
  prompt_cache_key: "prompt_cache_key",
} as const satisfies Partial<Record<OptionalField, string>>;

/** How Mistral's requests differ from those of other servers, except in the messages, which messages.ts converts. */
export const mistralQuirks: Quirks = {
  ...commonQuirks,
  title: "Mistral",
  fields: mistralFields,
  needsParameters: true,
  // Mistral reports the usage even without `stream_options`.
  streamOptions: undefined,
};

import type { Model } from "../gen/dragoman/v1/model_pb.js";

/**
 * Paths of the optional fields of ChatRequest whose support depends on the model, as in `Model.supported_parameters`
 * and in its order.
 */
export const parameterNames = [
  "parameters.temperature",
  "parameters.top_p",
  "parameters.top_k",
  "parameters.min_p",
  "parameters.max_output_tokens",
  "parameters.min_output_tokens",
  "parameters.stop_sequences",
  "parameters.n",
  "parameters.seed",
  "parameters.unsigned_seed",
  "parameters.presence_penalty",
  "parameters.frequency_penalty",
  "parameters.repetition_penalty",
  "parameters.logprobs",
  "parameters.top_logprobs",
  "parameters.logit_bias",
  "tools",
  "tool_choice.mode",
  "tool_choice.tool_name",
  "tool_choice.allowed_tools",
  "parallel_tool_calls",
  "output_format.json_object",
  "output_format.json_schema",
  "output_format.regex",
  "reasoning.effort",
  "reasoning.budget_tokens",
  "reasoning.format",
  "reasoning.clear_earlier_reasoning",
  "instructions",
  "chat_template",
  "chat_template_kwargs",
  "prompt_cache_key",
  "service_tier",
  "prediction",
  "user",
  "continue_last_message",
] as const;

export type ParameterName = (typeof parameterNames)[number];

/** Whether the configuration states that a model supports a field, whatever the rules of its family are. */
export function isDeclared({ supportedParameters }: Pick<Model, "supportedParameters">, name: ParameterName): boolean {
  return supportedParameters.includes(name);
}

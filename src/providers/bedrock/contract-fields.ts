import { type ContractFieldsOf, contractNames } from "../../chat/planning/provider-options.ts";
import type { ConverseBody } from "./wire.ts";

/** Fields of the body that ChatRequest has fields for. Tools that Bedrock runs itself have no `toolSpec`. */
export const bedrockNames = contractNames({
  messages: "messages",
  system: "messages",
  inferenceConfig: {
    maxTokens: "parameters.max_output_tokens",
    temperature: "parameters.temperature",
    topP: "parameters.top_p",
    stopSequences: "parameters.stop_sequences",
  } satisfies ContractFieldsOf<NonNullable<ConverseBody["inferenceConfig"]>>,
  toolConfig: {
    tools: [{ toolSpec: "tools" }],
    toolChoice: "tool_choice",
  } satisfies ContractFieldsOf<NonNullable<ConverseBody["toolConfig"]>>,
  outputConfig: {
    textFormat: "output_format",
  } satisfies ContractFieldsOf<NonNullable<ConverseBody["outputConfig"]>>,
  serviceTier: "service_tier",
  // The model's own fields. Bedrock adds them to the body that it sends to the model, with the names of each family.
  additionalModelRequestFields: {
    model: "model",
    messages: "messages",
    system: "messages",
    max_tokens: "parameters.max_output_tokens",
    temperature: "parameters.temperature",
    top_p: "parameters.top_p",
    top_k: "parameters.top_k",
    stop_sequences: "parameters.stop_sequences",
    tools: [{ input_schema: "tools" }],
    tool_choice: "tool_choice",
    thinking: "reasoning",
    output_config: { effort: "reasoning.effort", format: "output_format" },
    reasoningConfig: "reasoning",
    reasoning: "reasoning",
    reasoning_effort: "reasoning.effort",
  },
  additionalModelResponseFieldPaths: [{}],
} satisfies ContractFieldsOf<ConverseBody>);

import { type ContractFieldsOf, contractNames, streamMethods } from "../../chat/planning/provider-options.ts";
import type { MessagesBody } from "./wire.ts";

/** Fields of the body that ChatRequest has fields for. Tools that Anthropic runs itself have no `input_schema`. */
export const anthropicNames = contractNames({
  model: "model",
  messages: "messages",
  system: "messages",
  stream: streamMethods,
  max_tokens: "parameters.max_output_tokens",
  temperature: "parameters.temperature",
  top_p: "parameters.top_p",
  top_k: "parameters.top_k",
  stop_sequences: "parameters.stop_sequences",
  thinking: "reasoning",
  output_config: { effort: "reasoning.effort", format: "output_format" },
  tools: [{ input_schema: "tools" }],
  tool_choice: "tool_choice",
  metadata: { user_id: "user" },
  service_tier: "service_tier",
} satisfies ContractFieldsOf<MessagesBody>);

import { type ContractFieldsOf, contractNames, streamMethods } from "../../chat/planning/provider-options.ts";
import type { ResponsesBody } from "./wire.ts";

/**
 * Fields of the body that ChatRequest has fields for. Options can set `store`, add to `include`, and add tools without
 * `parameters`: those that OpenAI runs itself, and custom tools.
 */
export const responsesNames = contractNames({
  model: "model",
  input: "messages",
  instructions: "messages",
  stream: streamMethods,
  stream_options: streamMethods,
  // A response in the background has no stream, and somebody would have to fetch it.
  background: streamMethods,
  max_output_tokens: "parameters.max_output_tokens",
  temperature: "parameters.temperature",
  top_p: "parameters.top_p",
  top_logprobs: "parameters.top_logprobs",
  reasoning: { effort: "reasoning.effort" },
  reasoning_effort: "reasoning.effort",
  text: { format: "output_format" },
  response_format: "output_format",
  tools: [{ parameters: "tools" }],
  tool_choice: "tool_choice",
  parallel_tool_calls: "parallel_tool_calls",
  prompt_cache_key: "prompt_cache_key",
  safety_identifier: "user",
  user: "user",
  service_tier: "service_tier",
} satisfies ContractFieldsOf<Omit<ResponsesBody, "store" | "include">>);

/** Fields that only this API has, so that an option with one of these names requests it. */
export const onlyResponses: ReadonlySet<string> = new Set([
  ...["include", "max_tool_calls", "previous_response_id", "conversation", "prompt", "context_management"],
  ...["truncation", "text", "reasoning", "background", "access_programs", "image"],
]);

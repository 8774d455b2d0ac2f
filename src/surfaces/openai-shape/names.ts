import { type FieldPath, isSamePath } from "../../field-path.ts";
import { type FieldNames, nameField } from "../kit/field-names.ts";
import type { ReadMessage } from "./messages.ts";

/** Names of the contract that are others here; what is not listed is called the same. */
const names = {
  parameters: "",
  "parameters.stop_sequences": "stop",
  "tools.*.name": "tools.*.function.name",
  "tools.*.description": "tools.*.function.description",
  "tools.*.parameters_json_schema": "tools.*.function.parameters",
  "tools.*.strict": "tools.*.function.strict",
  "tools.*.cache_hint": "tools.*.cache_control",
  "tool_choice.mode": "tool_choice",
  "tool_choice.tool_name": "tool_choice.function.name",
  "messages.*.parts": "messages.*.content",
  output_format: "response_format",
  "output_format.json_object": "response_format",
  "output_format.json_schema.schema_json": "response_format.json_schema.schema",
  "output_format.regex.pattern": "response_format.regex",
  reasoning: "reasoning_effort",
  "reasoning.effort": "reasoning_effort",
  "reasoning.budget_tokens": "reasoning_effort",
  "reasoning.format": "reasoning_format",
  "reasoning.clear_earlier_reasoning": "clear_thinking",
  deployment_parameters: "model_parameters",
  continue_last_message: "continue_final_message",
  "parameters.min_output_tokens": "min_completion_tokens",
  // No field of these APIs: the header has it.
  account_id: "x-selected-account-id",
} as const;

/** What of a part is called otherwise, below the place that it was made from. */
const belowPart: FieldNames = {
  "tool_call.id": "id",
  "tool_call.name": "function.name",
  "tool_call.arguments_json": "function.arguments",
};

/** Names that differ from API to API. */
export interface OwnNames {
  readonly maxOutputTokens: "max_completion_tokens" | "max_tokens";
  /** What the API's own providers are told beside the contract, where it is one thing. */
  readonly providerOptions?: string;
}

/** Makes the function that gives the body's path for a path of the contract. */
export function createNamer(messages: readonly ReadMessage[], own: OwnNames): (path: FieldPath) => FieldPath {
  const all = {
    ...names,
    "parameters.max_output_tokens": own.maxOutputTokens,
    ...(own.providerOptions && { provider_options: own.providerOptions }),
  };
  return (path) => {
    const [list, index, inner, part, ...below] = path;
    if (list === "messages" && inner === "parts" && typeof index === "number" && typeof part === "number") {
      const place = messages[index]?.places[part];
      if (place !== undefined) return ["messages", index, ...namePart(place, below)];
    }
    const named = nameField(all, path);
    // The rule about top_logprobs belongs to the message around it.
    return named.length === 0 ? ["top_logprobs"] : named;
  };
}

function namePart(place: FieldPath, below: FieldPath): FieldPath {
  if (isSamePath(below, ["tool_result", "tool_call_id"])) return ["tool_call_id"];
  const named = nameField(belowPart, below);
  return named === below ? place : [...place, ...named];
}

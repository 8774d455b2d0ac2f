import { type FieldPath, isSamePath } from "../../field-path.ts";
import { type FieldNames, nameField } from "../kit/field-names.ts";
import type { ReadMessage } from "./messages.ts";

/** Body paths of ChatRequest fields. A field that is not listed has the same path in the body. */
const names = {
  parameters: "",
  "parameters.stop_sequences": "stop",
  "tools.*.function.parameters_json_schema": "tools.*.function.parameters",
  "tools.*.cache_hint": "tools.*.cache_control",
  "tool_choice.mode": "tool_choice",
  "tool_choice.tool_name": "tool_choice.function.name",
  "tool_choice.allowed_tools.tool_names": "tool_choice.allowed_tools.tools",
  "tool_choice.allowed_tools.tool_names.*": "tool_choice.allowed_tools.tools.*.function.name",
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
  response_modalities: "modalities",
  audio_output: "audio",
  "audio_output.media_type": "audio.format",
  deployment_parameters: "model_parameters",
  continue_last_message: "continue_final_message",
  "parameters.min_output_tokens": "min_completion_tokens",
  // In these APIs the account is in a header, not in the body.
  account_id: "x-selected-account-id",
} as const;

/** Body paths of the fields of a part, relative to the object in the body that became the part. */
const belowPart: FieldNames = {
  "tool_call.id": "id",
  "tool_call.name": "function.name",
  "tool_call.arguments_json": "function.arguments",
};

/** Names that differ between the APIs of this shape. */
export interface OwnNames {
  readonly maxOutputTokens: "max_completion_tokens" | "max_tokens";
  /** Name of the API's provider option, if it has exactly one. */
  readonly providerOptions?: string;
}

/** Makes a function that maps a ChatRequest path to the body path. */
export function createNamer(
  messages: readonly ReadMessage[],
  own: OwnNames,
  ofBody: FieldNames = {},
): (path: FieldPath) => FieldPath {
  const all = {
    ...names,
    "parameters.max_output_tokens": own.maxOutputTokens,
    ...ofBody,
    ...(own.providerOptions && { provider_options: own.providerOptions }),
  };
  return (path) => {
    const [list, index, inner, part, ...below] = path;
    // A field of the body that ChatRequest lacks is an option of the model's provider.
    if (list === "provider_options" && index !== undefined && inner !== undefined) return path.slice(2);
    if (list === "messages" && inner === "parts" && typeof index === "number" && typeof part === "number") {
      const place = messages[index]?.places[part];
      if (place !== undefined) return ["messages", index, ...namePart(place, below, messages[index]?.urls[part])];
    }
    const named = nameField(all, path);
    // Only one rule applies to `parameters` as a whole: top_logprobs requires logprobs. Report it at top_logprobs.
    return named.length === 0 ? ["top_logprobs"] : named;
  };
}

/** Wraps a function that maps paths: what stands for a custom tool has `custom` in the body, and not `function`. */
export function inCustomTools(nameField: (path: FieldPath) => FieldPath, body: object): (path: FieldPath) => FieldPath {
  return (path) => {
    let value: unknown = body;
    return nameField(path).map((step) => {
      const fields: Readonly<Record<string, unknown>> = typeof value === "object" ? { ...value } : {};
      value = fields[String(step)];
      return step === "function" && fields.isCustom === true ? "custom" : step;
    });
  };
}

function namePart(place: FieldPath, below: FieldPath, url: FieldPath | undefined): FieldPath {
  if (url !== undefined && isSamePath(below, ["media", "url"])) return [...place, ...url];
  if (isSamePath(below, ["tool_result", "tool_call_id"])) return ["tool_call_id"];
  const named = nameField(belowPart, below);
  return named === below ? place : [...place, ...named];
}

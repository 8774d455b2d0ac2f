import type { FieldPath } from "../../field-path.ts";
import { type FieldNames, nameField } from "../kit/field-names.ts";

/** Body paths of ChatRequest fields. A field that is not listed has the same path in the body. */
const names: FieldNames = {
  parameters: "",
  "parameters.logprobs": "include",
  messages: "input",
  instructions: "instructions",
  memory_strategy: "truncation",
  output_format: "text.format",
  "output_format.json_object": "text.format",
  "output_format.json_schema": "text.format",
  "output_format.json_schema.schema_json": "text.format.schema",
  reasoning: "reasoning",
  "reasoning.budget_tokens": "reasoning.effort",
  "reasoning.format": "reasoning.summary",
  "tool_choice.mode": "tool_choice",
  "tool_choice.tool_name": "tool_choice.name",
  "tool_choice.allowed_tools": "tool_choice",
  "tool_choice.allowed_tools.tool_names": "tool_choice.tools",
  "tool_choice.allowed_tools.tool_names.*": "tool_choice.tools.*.name",
  // In this API the account is in a header, not in the body.
  account_id: "x-selected-account-id",
};

/** Body paths of the fields of a tool, relative to the tool in the body. */
const belowTool: FieldNames = {
  function: "",
  "function.parameters_json_schema": "parameters",
  provider_tool: "",
  "provider_tool.provider": "type",
};

/** Body paths of the fields of a part, relative to the item or the content in the body. */
const belowPart: FieldNames = {
  "tool_call.id": "call_id",
  "tool_call.name": "name",
  "tool_call.arguments_json": "arguments",
  "tool_result.tool_call_id": "call_id",
  "tool_result.parts": "output",
};

/** Provider fields that are not at the top level of the body. */
const ofProvider: FieldNames = { verbosity: "text.verbosity" };

/** Makes a function that maps a ChatRequest path to the body path. */
export function createNamer(
  places: readonly (readonly FieldPath[])[],
  tools: readonly FieldPath[],
  ofBody: FieldNames,
): (path: FieldPath) => FieldPath {
  const all = { ...names, ...ofBody };
  return (path) => {
    const [list, index, inner, part, ...below] = path;
    if (list === "provider_options" && index !== undefined && inner !== undefined) {
      return nameField(ofProvider, path.slice(2));
    }
    if (list === "tools" && typeof index === "number") {
      const place = tools[index] ?? ["tools", index];
      return [...place, ...nameField(belowTool, path.slice(2))];
    }
    if (list === "messages" && typeof index === "number") {
      if (inner === "parts" && typeof part === "number") {
        const place = places[index]?.[part];
        return place === undefined ? ["input"] : [...place, ...namePart(below)];
      }
      // All parts of a message of one item have the path of this item in common.
      const [first] = places[index] ?? [];
      return first?.slice(0, 2) ?? ["input"];
    }
    const named = nameField(all, path);
    // Only one rule applies to `parameters` as a whole: top_logprobs requires logprobs. Report it at top_logprobs.
    return named.length === 0 ? ["top_logprobs"] : named;
  };
}

function namePart(below: FieldPath): FieldPath {
  const named = nameField(belowPart, below);
  return named === below ? [] : named;
}

import type { FieldPath } from "../../field-path.ts";
import { type FieldNames, nameField } from "../kit/field-names.ts";
import type { ReadMessage } from "./read-messages.ts";

/** Body paths of ChatRequest fields. A field that is not listed has the same path in the body. */
const names: FieldNames = {
  parameters: "",
  "parameters.max_output_tokens": "max_tokens",
  "tools.*.function": "tools.*",
  "tools.*.function.parameters_json_schema": "tools.*.input_schema",
  "tools.*.provider_tool": "tools.*",
  "tools.*.provider_tool.provider": "tools.*.type",
  "tools.*.provider_tool.config_json": "tools.*",
  "tools.*.cache_hint": "tools.*.cache_control",
  "tool_choice.mode": "tool_choice.type",
  "tool_choice.tool_name": "tool_choice.name",
  parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
  reasoning: "thinking",
  "reasoning.format": "thinking.display",
  user: "metadata.user_id",
  // In this API the account is in a header, not in the body.
  account_id: "x-selected-account-id",
};

/** Body paths of the fields of a part, relative to its block. */
const belowPart: FieldNames = {
  text: "text",
  "media.data": "source.data",
  "media.media_type": "source.media_type",
  "media.url": "source.url",
  "media.file_id": "source.file_id",
  "media.filename": "title",
  "media.citable": "citations.enabled",
  "tool_call.id": "id",
  "tool_call.name": "name",
  "tool_call.arguments_json": "input",
  "server_tool_call.id": "id",
  "server_tool_call.name": "name",
  "server_tool_call.input_json": "input",
  "server_tool_result.tool_call_id": "tool_use_id",
  "server_tool_result.output_json": "content",
  "tool_result.tool_call_id": "tool_use_id",
  "search_result.source": "source",
  "search_result.title": "title",
  "search_result.texts": "content",
  cache_hint: "cache_control",
  citations: "citations",
};

/**
 * Makes a function that maps a ChatRequest path to the body path.
 *
 * @param ofBody names of the fields that the body can set in several ways
 */
export function createNamer(messages: readonly ReadMessage[], ofBody: FieldNames): (path: FieldPath) => FieldPath {
  const all = { ...names, ...ofBody };
  return (path) => {
    const [list, index, inner, part, ...below] = path;
    if (list === "provider_options" && index !== undefined && inner !== undefined) {
      return inner === "betas" ? ["anthropic-beta"] : path.slice(2);
    }
    const message = list === "messages" && typeof index === "number" ? messages[index] : undefined;
    if (message === undefined) return nameField(all, path);
    if (inner !== "parts") return inner === undefined ? message.place : [...message.place, ...path.slice(2)];
    const read = typeof part === "number" ? message.parts[part] : undefined;
    if (read === undefined) return message.place[0] === "system" ? message.place : [...message.place, "content"];
    const [kind, list2, at, ...rest] = below;
    if (kind === "tool_result" && list2 === "parts" && typeof at === "number") {
      return [...read.place, "content", read.inner?.[at] ?? at, ...nameBelow(rest)];
    }
    return [...read.place, ...nameBelow(below)];
  };
}

/** Returns the path of a field inside a part. Paths without an entry mean the whole block. */
function nameBelow(below: FieldPath): FieldPath {
  const named = nameField(belowPart, below);
  return named === below ? [] : named;
}

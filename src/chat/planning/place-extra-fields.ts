import type { JsonObject } from "@bufbuild/protobuf";
import { invalidRequest, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import type { CallerWords } from "./caller-words.ts";
import type { Draft, DraftWarning } from "./draft.ts";
import type { ToolFields } from "./extra-fields.ts";
import type { PlanningContext } from "./planning-context.ts";
import { streamMethods } from "./provider-options.ts";

/**
 * Places extra fields of the caller's body and of its functions into the provider options of the model's provider, or
 * drops them with a warning if the provider does not take them. Names those inside others, which no provider gets.
 *
 * Runs before every step that reads provider options, and before those that change the indexes of tools.
 */
export function placeExtraFields(
  draft: Draft,
  { extras, model: { provider }, dialect = provider, checkOptions, extraFields, words }: PlanningContext,
): Draft {
  if (extras === undefined) return draft;
  const takesUnknown = checkOptions !== undefined && (extras.dialect === undefined || extras.dialect === dialect);
  const taken: [string, JsonObject[string]][] = [];
  const warnings = leftOutOf(provider, extras.leftOut);
  for (const { reason, path, message } of extras.notes ?? []) {
    warnings.push({ reason, field: fieldOf(provider, path), message });
  }
  for (const [name, value] of Object.entries(extras.fields)) {
    const isTaken = extraFields?.has(name) || (takesUnknown && !extras.isDocumented(name));
    if (isTaken) taken.push([name, value]);
    else warnings.push(dropped(provider, [name]));
  }
  const toolFields = extras.toolFields ?? [];
  if (!takesUnknown) for (const place of firstPlaces(toolFields)) warnings.push(dropped(provider, place));
  const request = takesUnknown ? withToolFields(draft.request, provider, toolFields) : draft.request;
  const options = Object.fromEntries(taken);
  const wrong = checkOptions?.(options, (field) => useInstead(field, words)) ?? [];
  if (wrong.length > 0) throw invalidRequest(wrong);
  if (taken.length === 0) return { ...draft, request, warnings: [...draft.warnings, ...warnings] };
  const providerOptions = {
    ...request.providerOptions,
    [provider]: { ...request.providerOptions[provider], ...options },
  };
  return { ...draft, request: { ...request, providerOptions }, warnings: [...draft.warnings, ...warnings] };
}

function leftOutOf(provider: string, fields: readonly FieldPath[]): DraftWarning[] {
  const message = "Dragoman sends no such field; it is left out";
  const warnings = fields
    .slice(0, mostViolations)
    .map((path): DraftWarning => ({ reason: "LEFT_OUT", field: fieldOf(provider, path), message }));
  const more = fields.length - warnings.length;
  const rest = `${more} more fields are left out`;
  return more > 0 ? [...warnings, { reason: "LEFT_OUT", field: ["messages"], message: rest }] : warnings;
}

/** Returns the path of a field that ChatRequest lacks, which the caller's API names by its place in the body. */
function fieldOf(provider: string, path: FieldPath): FieldPath {
  return ["provider_options", { key: provider }, ...path];
}

function dropped(provider: string, path: FieldPath): DraftWarning {
  const message = `${provider} does not support ${String(path.at(-1))}; it is dropped`;
  return { reason: "UNSUPPORTED_PARAMETER", field: fieldOf(provider, path), message };
}

/** Returns the first path of each name: the functions of one request usually have the same fields. */
function firstPlaces(toolFields: readonly ToolFields[]): readonly FieldPath[] {
  const places = new Map<string, FieldPath>();
  for (const { index, fields } of toolFields) {
    for (const name of Object.keys(fields)) if (!places.has(name)) places.set(name, ["tools", index, name]);
  }
  return [...places.values()].slice(0, mostViolations);
}

function withToolFields(request: ChatRequest, provider: string, toolFields: readonly ToolFields[]): ChatRequest {
  if (toolFields.length === 0) return request;
  const fieldsOf = new Map(toolFields.map(({ index, fields }) => [index, fields]));
  const tools = request.tools.map((tool, index): Tool => {
    const fields = fieldsOf.get(index);
    const { kind } = tool;
    if (fields === undefined || kind.case !== "function") return tool;
    const providerOptions = { ...kind.value.providerOptions, [provider]: fields };
    return { ...tool, kind: { case: "function", value: { ...kind.value, providerOptions } } };
  });
  return { ...request, tools };
}

function useInstead(field: string, { nameField }: CallerWords): string {
  const name = field === streamMethods ? "stream" : nameField(field.split("."));
  return `is not a property of this API; use ${name}`;
}

import type { JsonObject } from "@bufbuild/protobuf";
import { invalidRequest, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { CallerWords } from "./caller-words.ts";
import type { Draft, DraftWarning } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import { streamMethods } from "./provider-options.ts";

/**
 * Places extra fields of the caller's body into the provider options of the model's provider, or drops them with a
 * warning if the provider does not take them. Names those inside others, which no provider gets.
 *
 * Runs before every step that reads provider options.
 */
export function placeExtraFields(
  draft: Draft,
  { extras, model: { provider }, dialect = provider, checkOptions, extraFields, words }: PlanningContext,
): Draft {
  if (extras === undefined) return draft;
  const taken: [string, JsonObject[string]][] = [];
  const warnings = leftOutOf(provider, extras.leftOut);
  for (const { reason, path, message } of extras.notes ?? []) {
    warnings.push({ reason, field: fieldOf(provider, path), message });
  }
  for (const [name, value] of Object.entries(extras.fields)) {
    const takesUnknown = checkOptions !== undefined && (extras.dialect === undefined || extras.dialect === dialect);
    const isTaken = extraFields?.has(name) || (takesUnknown && !extras.isDocumented(name));
    if (isTaken) taken.push([name, value]);
    else warnings.push(dropped(provider, name));
  }
  const { request } = draft;
  const options = Object.fromEntries(taken);
  const wrong = checkOptions?.(options, (field) => useInstead(field, words)) ?? [];
  if (wrong.length > 0) throw invalidRequest(wrong);
  if (taken.length === 0) return { ...draft, warnings: [...draft.warnings, ...warnings] };
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

function dropped(provider: string, name: string): DraftWarning {
  const field = fieldOf(provider, [name]);
  return { reason: "UNSUPPORTED_PARAMETER", field, message: `${provider} does not support ${name}; it is dropped` };
}

function useInstead(field: string, { nameField }: CallerWords): string {
  const name = field === streamMethods ? "stream" : nameField(field.split("."));
  return `is not a property of this API; use ${name}`;
}

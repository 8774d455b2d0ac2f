import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type FieldViolation, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { deploymentFields } from "./deployment-parameters.ts";

/**
 * Fields of an upstream body that ChatRequest has fields for, by their names in the body. A text is what to use instead
 * of the option. A table applies to the fields of an object, and in a list to those of each item; fields that it does
 * not list are provider options.
 */
export interface ContractFields {
  readonly [name: string]: ContractField;
}
type ContractField = string | ContractFields | readonly [ContractFields];

/**
 * Table for a body type. It lists every field of the type, so that the adapter cannot write a field without an entry.
 */
export type ContractFieldsOf<Body> = ContractFields & {
  readonly [Name in keyof Body as string extends Name ? never : Name]-?: ContractField;
};

/** Use instead of the option `stream`. */
export const streamMethods = "StreamChat or CompleteChat";

/** Contract fields by folded name. */
export type ContractNames = ReadonlyMap<string, string | InnerNames>;

interface InnerNames {
  readonly names: ContractNames;
  /** Whether the value is a list of objects with these names. */
  readonly isList: boolean;
}

/** Makes the table of an adapter for `optionViolations`. */
export function contractNames(fields: ContractFields): ContractNames {
  return new Map(Object.entries(fields).map(([name, field]) => [fold(name), entryOf(field)]));
}

function entryOf(field: ContractField): string | InnerNames {
  if (typeof field === "string") return field;
  return isList(field)
    ? { names: contractNames(field[0]), isList: true }
    : { names: contractNames(field), isList: false };
}

function isList(field: ContractFields | readonly [ContractFields]): field is readonly [ContractFields] {
  return Array.isArray(field);
}

/**
 * Returns the ChatRequest field that a path in the upstream body belongs to. A path that the table does not list
 * belongs to the field of its object, if the object has only one. Undefined: ChatRequest has no such field.
 */
export function contractFieldOf(names: ContractNames, path: readonly string[]): string | undefined {
  let table = names;
  for (const step of path) {
    // Indexes of a list, whose table applies to each item.
    if (/^\d+$/.test(step)) continue;
    const entry = step.length > longestName ? undefined : table.get(fold(step));
    if (typeof entry === "string") return entry;
    if (entry === undefined) return table === names ? undefined : onlyFieldOf(table);
    table = entry.names;
  }
  return table === names ? undefined : onlyFieldOf(table);
}

/** Returns the field that all names of an object belong to. Undefined: there are several, or none. */
function onlyFieldOf(names: ContractNames): string | undefined {
  const fields = new Set(
    [...names.values()].map((entry) => (typeof entry === "string" ? entry : onlyFieldOf(entry.names))),
  );
  const [only] = fields;
  return fields.size === 1 ? only : undefined;
}

/** Whether two names of a field are spellings of the same name. */
export function isSameName(one: string, other: string): boolean {
  return one.length <= longestName && other.length <= longestName && fold(one) === fold(other);
}

/** Returns a violation for each option of the model's provider that ChatRequest has a field for. */
export function optionViolations(
  { providerOptions }: Pick<ChatRequest, "providerOptions">,
  provider: string,
  names: ContractNames | undefined,
  describe = (field: string) => `is not a provider option; use ${field}`,
): readonly FieldViolation[] {
  const options = providerOptions[provider];
  if (options === undefined || names === undefined) return [];
  const field = deploymentFields[provider];
  const all = field === undefined ? names : new Map([...names, [fold(field), "deployment_parameters"]]);
  return violationsIn(options, all, { field: ["provider_options", provider], describe })
    .take(mostViolations)
    .toArray();
}

/** Returns a violation if the request has provider options, for services whose operator turned them off. */
export function anyOptions({
  providerOptions,
  tools = [],
}: Pick<ChatRequest, "providerOptions"> & Partial<Pick<ChatRequest, "tools">>): readonly FieldViolation[] {
  const violation = (field: FieldPath) => ({ field, description: optionsAreOff });
  const ofTool = tools.findIndex(({ kind }) => kind.case === "function" && hasOptions(kind.value.providerOptions));
  return [
    ...(hasOptions(providerOptions) ? [violation(["provider_options"])] : []),
    ...(ofTool < 0 ? [] : [violation(["tools", ofTool, "function", "provider_options"])]),
  ];
}

function hasOptions(providerOptions: ChatRequest["providerOptions"]): boolean {
  return Object.values(providerOptions).some((options) => Object.keys(options).length > 0);
}

export const optionsAreOff = "the operator has turned provider options off (limits.provider_options); omit it";

/** Path of provider options, and the text for one that is a field of the contract. */
interface Place {
  readonly field: FieldPath;
  readonly describe: (contractField: string) => string;
}

function* violationsIn(options: JsonObject, names: ContractNames, place: Place): Generator<FieldViolation> {
  const { describe } = place;
  for (const [name, value] of Object.entries(options)) {
    const field = [...place.field, name];
    const entry = name.length > longestName ? undefined : names.get(fold(name));
    if (name === "__proto__") yield { field, description: "is not a provider option; omit it" };
    else if (typeof entry === "string") yield { field, description: describe(entry) };
    else if (entry !== undefined) yield* violationsOf(value, entry, { field, describe });
  }
}

function* violationsOf(value: JsonValue, { names, isList }: InnerNames, place: Place): Generator<FieldViolation> {
  const { field } = place;
  // A value of another kind would replace everything that Dragoman writes there.
  if (isList !== Array.isArray(value) || typeof value !== "object" || value === null) {
    yield { field, description: `must be ${isList ? "a list" : "an object"}` };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (isObject(item)) yield* violationsIn(item, names, { ...place, field: [...field, index] });
    }
  } else {
    yield* violationsIn(value, names, place);
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** More UTF-16 units than any name in a body has. Folding a much longer name would take memory for nothing. */
const longestName = 128;

/**
 * Folds the spellings that a provider may read as one name: Go servers ignore case, with Unicode's folding, and
 * Google's APIs accept `max_output_tokens` for `maxOutputTokens`.
 */
function fold(name: string): string {
  // A request may have 100,000 options. Most of their names need no change.
  if (/^[a-z0-9]*$/.test(name)) return name;
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}

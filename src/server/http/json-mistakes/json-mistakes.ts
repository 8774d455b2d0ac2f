import { type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { type FieldViolation, mostViolations } from "../../../errors.ts";
import type { FieldPath } from "../../../field-path.ts";
import { placeOfSyntaxError } from "../../../json-syntax.ts";
import { exampleOf } from "./examples.ts";
import { enumProblem, scalarProblem, wellKnownProblem } from "./scalar.ts";
import { fieldNamed, unknownField } from "./unknown-field.ts";

/** Reports a mistake. Does not call `describe` once there are `mostViolations`. */
type Report = (field: FieldPath, describe: () => string | undefined) => void;

/**
 * Returns the mistakes in the JSON of a request, each with its path and what to write instead. Runs only after the
 * decoder has rejected the JSON, because the decoder names just the first mistake and no remedy.
 */
export function jsonMistakes(schema: DescMessage, text: string): readonly FieldViolation[] {
  let value: unknown;
  try {
    // Parsing with a function takes four times as long.
    value = /\d{16}/.test(text) ? JSON.parse(text, exactIntegers) : JSON.parse(text);
  } catch (error) {
    return [{ field: [], root: "body", description: `is not valid JSON${placeOfSyntaxError(text, error)}` }];
  }
  const mistakes: FieldViolation[] = [];
  const report: Report = (field, describe) => {
    if (mistakes.length >= mostViolations) return;
    const description = describe();
    if (description !== undefined) mistakes.push({ field, root: "message", description });
  };
  if (isObject(value)) checkMessage(schema, value, [], report);
  else mistakes.push({ field: [], root: "body", description: "must be an object" });
  return mistakes;
}

/** Keeps integers that a double does not hold exactly as bigints. */
function exactIntegers(_key: string, value: unknown, { source = "" }: { readonly source?: string } = {}): unknown {
  const isRounded = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkMessage(message: DescMessage, value: JsonObject, path: FieldPath, report: Report): void {
  const names = new Map<DescField, string>();
  const seen = new Map<DescOneof, string>();
  for (const [name, item] of Object.entries(value)) {
    const field = fieldNamed(message, name);
    if (field === undefined) {
      report([...path, name], () => unknownField(message, name));
      continue;
    }
    const twin = names.get(field);
    if (twin !== undefined) report([...path, name], () => `is the same field as ${twin}; set one of them`);
    names.set(field, name);
    if (item === null) continue;
    const { oneof } = field;
    const other = oneof && seen.get(oneof);
    if (oneof && other === undefined) seen.set(oneof, field.name);
    else if (other !== undefined) {
      report([...path, field.name], () => `cannot be set together with ${other}; set one of them`);
    }
    checkField(field, item, [...path, field.name], report);
  }
}

function checkField(field: DescField, value: unknown, path: FieldPath, report: Report): void {
  switch (field.fieldKind) {
    case "scalar":
    case "enum":
    case "message":
      checkValue(field, value, path, report);
      return;
    case "list":
      if (!Array.isArray(value)) report(path, () => `must be an array${exampleOf(field.message, true)}`);
      else for (const [index, item] of value.entries()) checkValue(field, item, [...path, index], report);
      return;
    case "map":
      if (!isObject(value)) report(path, () => "must be an object");
      else checkMap(field, value, path, report);
      return;
    default:
      field satisfies never;
  }
}

function checkMap(field: DescField & { fieldKind: "map" }, value: JsonObject, path: FieldPath, report: Report): void {
  for (const [key, item] of Object.entries(value)) {
    const place = [...path, { key }];
    if (field.mapKey !== ScalarType.STRING) {
      const problem = scalarProblem(field.mapKey, key);
      report(place, () => problem && `has a key that ${problem}`);
    }
    checkValue(field, item, place, report);
  }
}

/** Checks a single value: the value of a field, an item of a list or a value of a map. */
function checkValue(
  { name, scalar, enum: enumeration, message }: Pick<DescField, "name" | "scalar" | "enum" | "message">,
  value: unknown,
  path: FieldPath,
  report: Report,
): void {
  if (message !== undefined && !message.typeName.startsWith("google.protobuf.")) {
    if (isObject(value)) checkMessage(message, value, path, report);
    else report(path, () => `must be an object${exampleOf(message)}`);
    return;
  }
  if (message !== undefined) report(path, () => wellKnownProblem(message, value));
  else if (enumeration !== undefined) report(path, () => enumProblem(enumeration, value));
  else if (isJsonText(name) && typeof value === "object") report(path, () => "must be a string with the JSON text");
  else if (scalar !== undefined) report(path, () => scalarProblem(scalar, value));
}

/** Whether a field holds JSON text. */
function isJsonText(name: string): boolean {
  return /_json(?:_|$)/.test(name);
}

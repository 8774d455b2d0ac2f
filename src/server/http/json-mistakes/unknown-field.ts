import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { nearest } from "../../../nearest.ts";
import { foreignNames } from "./foreign-names.ts";

/** Returns what is wrong with a field that a message does not have, and what to write instead. */
export function unknownField(message: DescMessage, name: string): string {
  const hint = foreignName(message, name) ?? placeOf(message, name) ?? nearestName(message, name) ?? fieldList(message);
  return `is not a field of ${message.name}; ${hint}`;
}

/** Finds what to write instead of a field of another API, also in camelCase. */
function foreignName({ typeName }: DescMessage, name: string): string | undefined {
  const own = foreignNames[typeName];
  const inProto = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return own !== undefined && Object.hasOwn(own, inProto) ? own[inProto] : undefined;
}

/** Finds the name in the messages inside a message, such as `temperature` in `parameters`. */
function placeOf(message: DescMessage, name: string): string | undefined {
  const inner = message.fields.flatMap((field) =>
    field.fieldKind === "message" && isOpen(field.message) ? [{ name: field.name, message: field.message }] : [],
  );
  const found = inner.find((field) => hasField(field.message, name));
  if (found !== undefined) return `write ${found.name}.${name}`;
  for (const outer of inner) {
    const foreign = foreignName(outer.message, name);
    if (foreign !== undefined) return `in ${outer.name}, ${foreign}`;
    const deeper = placeOf(outer.message, name);
    if (deeper !== undefined) return deeper.replace(/^(write|in) /, `$1 ${outer.name}.`);
  }
  return undefined;
}

/** Whether the fields of a message can be suggested: those of google.protobuf types have a JSON form of their own. */
function isOpen({ typeName }: DescMessage): boolean {
  return !typeName.startsWith("google.");
}

function hasField(message: DescMessage, name: string): boolean {
  return fieldNamed(message, name) !== undefined;
}

/** Returns the field with this name in the proto or in JSON. */
export function fieldNamed(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}

function nearestName({ fields }: DescMessage, name: string): string | undefined {
  const [candidate] = nearest(
    name,
    fields.map((field) => field.name),
    1,
  );
  return candidate === undefined ? undefined : `did you mean ${candidate}?`;
}

/** Longest list of fields in an error. */
const mostNames = 12;

function fieldList({ fields }: DescMessage): string {
  const names = fields.map(({ name }) => name);
  if (names.length === 0) return "it has no fields";
  const rest = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
  return `its fields are ${names.slice(0, mostNames).join(", ")}${rest}`;
}

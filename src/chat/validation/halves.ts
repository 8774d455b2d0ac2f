import type { FieldPath } from "../../field-path.ts";

/** What is wrong with text that has half of a surrogate pair. Only JSON can carry it, as an escape. */
export const halfProblem = "has half of a surrogate pair, which is no character; cut text between characters";

/** Escape of a half in JSON text. The half can belong to a pair. */
export const halfEscape = /\\u[dD][89a-fA-F]/;

/** Returns the path of the first value that differs. Fields of messages get their names in the proto. */
export function firstChange(before: unknown, after: unknown): FieldPath {
  if (!isObject(before) || !isObject(after)) return [];
  if (Array.isArray(before)) {
    const index = before.findIndex((item, place) => item !== Reflect.get(after, place));
    return [index, ...firstChange(before[index], Reflect.get(after, index))];
  }
  const isMessage = "$typeName" in before;
  for (const [name, value] of Object.entries(before)) {
    const next: unknown = Reflect.get(after, name);
    if (Object.is(value, next)) continue;
    if (!isMessage) return [{ key: name.toWellFormed() }, ...firstChange(value, next)];
    // A oneof has no name in a path: its field has.
    if (!isOneof(value) || !isObject(next)) return [protoName(name), ...firstChange(value, next)];
    return [protoName(value.case), ...firstChange(value.value, Reflect.get(next, "value"))];
  }
  return [];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isOneof(value: unknown): value is { readonly case: string; readonly value: unknown } {
  return isObject(value) && "case" in value && "value" in value && typeof value.case === "string";
}

function protoName(localName: string): string {
  return localName.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

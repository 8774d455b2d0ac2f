import { z } from "zod";
import { type FieldPath, formatDotted } from "../../field-path.ts";
import { nearest } from "../../nearest.ts";

/**
 * What to write instead of properties of other APIs, by dotted path with `*` for each index, such as `system` or
 * `tools.*.name`.
 */
export type PropertyHints = Readonly<Record<string, string>>;

/**
 * Returns what to write instead of a top-level property that can be one of another API, unless its name is nearly one
 * of this API. Undefined if it is not.
 */
export function misspelledHint(schema: z.ZodType, name: string, hints: PropertyHints): string | undefined {
  if (Object.hasOwn(hints, name)) return hints[name];
  // A short name is near many others.
  if (name.length < shortest) return undefined;
  const [candidate] = nearest(name, namesOf(schema).get("") ?? [], 1);
  return candidate === undefined ? undefined : `did you mean ${candidate}?`;
}

const shortest = 4;

/** Returns what to write instead of a property that a body schema does not have. Undefined if nothing is similar. */
export function propertyHint(schema: z.ZodType, path: FieldPath, hints: PropertyHints): string | undefined {
  const name = String(path.at(-1));
  const place = pattern(path);
  if (Object.hasOwn(hints, place)) return hints[place];
  const names = namesOf(schema);
  const siblings = names.get(pattern(path.slice(0, -1))) ?? new Set();
  // Another form of the object has it, such as a message with another role.
  if (siblings.has(name)) return undefined;
  const [candidate] = nearest(name, siblings, 1);
  if (candidate !== undefined && fold(candidate) === fold(name)) return `write ${candidate}`;
  const elsewhere = placeOf(names, name);
  if (elsewhere !== undefined) return `write ${elsewhere}`;
  const near = candidate ?? (name.length < shortest ? undefined : nearestInside(names, name));
  return near === undefined ? undefined : `did you mean ${near}?`;
}

/**
 * Returns what to write if a property is missing, but the body has it under another name or in another place.
 * Undefined if it has not.
 */
export function missingHint(schema: z.ZodType, path: FieldPath, body: unknown): string | undefined {
  const name = String(path.at(-1));
  const parent = path.slice(0, -1);
  if (Object.hasOwn(objectAt(body, parent), name)) return undefined;
  const known = namesOf(schema).get(pattern(parent)) ?? new Set();
  const unknown = Object.entries(objectAt(body, parent)).filter(([property]) => !known.has(property));
  const [near] = nearest(
    name,
    unknown.map(([property]) => property),
    1,
  );
  if (near !== undefined) return `the request has ${near}; did you mean ${name}?`;
  const [around] = unknown.find(([, value]) => Object.hasOwn(objectAt(value, []), name)) ?? [];
  return around === undefined ? undefined : `write it beside ${around}, not in it`;
}

/** Returns the object at a path. Empty if there is none. */
function objectAt(body: unknown, path: FieldPath): Readonly<Record<string, unknown>> {
  let value = body;
  for (const step of path) value = isObject(value) ? value[String(step)] : undefined;
  return isObject(value) && !Array.isArray(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Finds a property with this name at the top level, or in an object there. */
function placeOf(names: ReadonlyMap<string, ReadonlySet<string>>, name: string): string | undefined {
  for (const [parent, properties] of names) {
    if (parent.includes(".") || parent.includes("*")) continue;
    const found = properties.values().find((property) => property !== "type" && fold(property) === fold(name));
    if (found !== undefined) return parent === "" ? `${found} at the top level of the body` : `${parent}.${found}`;
  }
  return undefined;
}

/** Finds the property with nearly this name in an object at the top level. */
function nearestInside(names: ReadonlyMap<string, ReadonlySet<string>>, name: string): string | undefined {
  for (const [parent, properties] of names) {
    if (parent === "" || parent.includes(".") || parent.includes("*")) continue;
    const [near] = nearest(name, properties, 1);
    if (near !== undefined) return `${parent}.${near}`;
  }
  return undefined;
}

/** Folds spellings of one name, such as `top_p` and `topP`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}

function pattern(path: FieldPath): string {
  return formatDotted(path.map((step) => (typeof step === "number" ? "*" : step)));
}

const known = new WeakMap<z.ZodType, ReadonlyMap<string, ReadonlySet<string>>>();

/** Returns the names of the properties of each object in a schema, by its path with `*` for each index. */
function namesOf(schema: z.ZodType): ReadonlyMap<string, ReadonlySet<string>> {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const names = new Map<string, Set<string>>();
  collect(schema, "", names);
  known.set(schema, names);
  return names;
}

function collect(schema: z.core.$ZodType, path: string, names: Map<string, Set<string>>): void {
  const inner = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (schema instanceof z.core.$ZodObject) {
    const own = names.get(path) ?? new Set();
    names.set(path, own);
    for (const [name, property] of Object.entries(schema._zod.def.shape)) {
      own.add(name);
      collect(property, inner(name), names);
    }
  } else if (schema instanceof z.core.$ZodArray) {
    collect(schema._zod.def.element, inner("*"), names);
  } else if (schema instanceof z.core.$ZodUnion) {
    for (const option of schema._zod.def.options) collect(option, path, names);
  } else if (schema instanceof z.core.$ZodOptional || schema instanceof z.core.$ZodNullable) {
    collect(schema._zod.def.innerType, path, names);
  } else if (schema instanceof z.core.$ZodPipe) {
    collect(schema._zod.def.in, path, names);
    collect(schema._zod.def.out, path, names);
  }
}

/** Copies a value so that every string in it, including property names, is well-formed UTF-16. */
export function wellFormed<Value>(value: Value): Value {
  return mapStrings(value, (text) => (text.isWellFormed() ? text : text.toWellFormed()));
}

/** Returns a string instead of one of a field with this name. The strings of a list have the list's name. */
type MapString = (text: string, name: string) => string;

/**
 * Copies a value with other strings. Property names become well-formed. Returns the value itself, and shares each value
 * inside it, if nothing changes: then it allocates nothing, since a request can have 125,000 parts.
 */
export function mapStrings<Value>(value: Value, map: MapString): Value;
export function mapStrings(value: unknown, map: MapString): unknown {
  return mapped(value, map, "");
}

function mapped(value: unknown, map: MapString, name: string): unknown {
  if (typeof value === "string") return map(value, name);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Array.isArray(value) ? mappedList(value, map, name) : mappedFields(value, map);
}

function mappedList(list: readonly unknown[], map: MapString, name: string): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const next = mapped(list[index], map, name);
    if (Object.is(next, list[index])) continue;
    copy ??= [...list];
    copy[index] = next;
  }
  return copy ?? list;
}

function mappedFields(value: object, map: MapString): object {
  const fields = value as Readonly<Record<string, unknown>>;
  let changed: Map<string, unknown> | undefined;
  for (const field in fields) {
    const item = fields[field];
    const next = typeof item === "string" || typeof item === "object" ? mapped(item, map, field) : item;
    if (Object.is(next, item) && field.isWellFormed()) continue;
    changed ??= new Map();
    changed.set(field, next);
  }
  if (changed === undefined) return value;
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([field, item]) => [field.toWellFormed(), changed.has(field) ? changed.get(field) : item]),
  );
}

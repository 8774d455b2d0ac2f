/** Returns the member of an object that has no other members. Undefined: the value is something else. */
export function soleMember(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  for (const other in value) if (other !== name) return undefined;
  return Reflect.get(value, name);
}

/** Like `soleMember`, for a text. Undefined also for an empty text. */
export function soleText(value: unknown, name: string): string | undefined {
  const text = soleMember(value, name);
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** Returns an index of the API. Undefined: the value is none. */
export function indexIn(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

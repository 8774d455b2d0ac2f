export type Fields = Readonly<Record<string, unknown>>;

/** Parses the data of every event of a stream except [DONE]. Returns undefined if one is not JSON. */
export function dataOf(wire: string): readonly Fields[] | undefined {
  // Not /^data: .*$/gm: U+2028, which JSON may contain, would end the line.
  const lines = wire.split(/\r?\n/).filter((line) => line.startsWith("data: "));
  const texts = lines.map((line) => line.slice("data: ".length));
  try {
    return texts.filter((text) => text !== "[DONE]").map((text) => JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Returns the last non-null value of each field. */
export function lastValues(all: readonly Fields[]): Fields {
  const given = all.map((fields) => Object.entries(fields).filter(([, value]) => value !== null));
  return Object.fromEntries(given.flat());
}

/** Concatenates a list field of all objects, in order. */
export const listOf = (all: readonly Fields[], field: string): readonly Fields[] =>
  all.flatMap((fields) => (Array.isArray(fields[field]) ? fields[field] : []));

/** Returns the values of an object field from all objects that have it, in order. */
export const objectsOf = (all: readonly Fields[], field: string): readonly Fields[] =>
  all.map((fields) => fields[field]).filter((value) => isFields(value));

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export type Fields = Readonly<Record<string, unknown>>;

/** The JSON of every event of a stream, without [DONE]; undefined if one is not JSON. */
export function dataOf(wire: string): readonly Fields[] | undefined {
  const texts = [...wire.matchAll(/^data: (.*?)\r?$/gm)].map((match) => match[1] ?? "");
  try {
    return texts.filter((text) => text !== "[DONE]").map((text) => JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Of each field the last value that is not null. */
export function lastValues(all: readonly Fields[]): Fields {
  const given = all.map((fields) => Object.entries(fields).filter(([, value]) => value !== null));
  return Object.fromEntries(given.flat());
}

/** The values of a list field of all objects, in order. */
export const listOf = (all: readonly Fields[], field: string): readonly Fields[] =>
  all.flatMap((fields) => (Array.isArray(fields[field]) ? fields[field] : []));

/** The values of an object field of all objects that have it, in order. */
export const objectsOf = (all: readonly Fields[], field: string): readonly Fields[] =>
  all.map((fields) => fields[field]).filter((value) => isFields(value));

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

import { type FieldPath, type FieldStep, formatPath } from "../../src/field-path.ts";

/** Parses a field path such as `messages[0].parts[1].media` or `parameters.logit_bias["7"]`. */
export function toPath(text: string): FieldPath {
  return [...text.matchAll(/\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, key, index, name]): FieldStep => {
    if (key !== undefined) return { key };
    return index === undefined ? (name ?? "") : Number(index);
  });
}

/** Formats the fields of adaptations or violations as text. Paths start at the ChatRequest. */
export function fieldsOf(found: Iterable<{ readonly field: FieldPath }>): readonly string[] {
  return [...found].map(({ field }) => formatPath(field));
}

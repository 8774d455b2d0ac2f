import { unicodePattern } from "../../../unicode-pattern.ts";
import { References, schemasIn } from "./references.ts";
import { entriesOf, isSchema, type Schema } from "./schema-rules.ts";

/**
 * Returns the first part of a schema that Dragoman cannot validate: a keyword of a dynamic reference, a reference to
 * nothing or to another document, or a regular expression with a syntax error. The time of validation is limited, so
 * that slow expressions and endless references need no rule.
 */
export function uncheckedPart(schema: unknown): string | undefined {
  if (!isSchema(schema)) return undefined;
  const references = new References(schema);
  for (const inner of schemasIn(schema, true)) {
    const found = uncheckedIn(inner, references);
    if (found !== undefined) return found;
  }
  return undefined;
}

function uncheckedIn({ $ref, $id, pattern, patternProperties, ...others }: Schema, references: References) {
  for (const keyword of ["$dynamicRef", "$recursiveRef"]) if (keyword in others) return keyword;
  if (typeof $ref === "string" && references.find($ref) === undefined) return `the reference ${$ref.slice(0, 100)}`;
  const patterns = [pattern, ...entriesOf(patternProperties).map(([name]) => name)];
  const wrong = patterns.find((one) => typeof one === "string" && unicodePattern(one) === undefined);
  return wrong === undefined ? undefined : `the pattern ${String(wrong).slice(0, 100)}`;
}

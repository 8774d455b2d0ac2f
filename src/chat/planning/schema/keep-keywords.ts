import { constrains } from "./keywords.ts";
import type { Schema, SchemaRules } from "./schema-rules.ts";

/** Keywords that constrain nothing, but tell the model something. */
const tellingKeywords: ReadonlySet<string> = new Set(["default", "examples"]);

/** Keywords whose value SchemaFitter rewrites. */
const structural: ReadonlySet<string> = new Set([
  ...["properties", "required", "additionalProperties", "items", "prefixItems"],
]);

/**
 * Keeps the keywords that an API accepts. The others go into the description, so that the model still sees them.
 * `moved` has those that constrain values of these types.
 */
export function keepKeywords(
  schema: Schema,
  types: readonly string[],
  rules: SchemaRules,
): { readonly kept: Schema; readonly moved: readonly string[] } {
  const kept: [string, unknown][] = [];
  const moved: string[] = [];
  const told: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "$defs" || keyword === "definitions") continue;
    if (accepts(rules, keyword, value)) {
      kept.push([keyword, value]);
      continue;
    }
    const isConstraint = constrains(keyword, types);
    if (isConstraint) moved.push(keyword);
    if (isConstraint || tellingKeywords.has(keyword)) told.push(`${keyword}: ${JSON.stringify(value)}`);
  }
  const { description, ...rest } = Object.fromEntries(kept);
  if (told.length === 0 || rules.keywords?.has("description") === false)
    return { kept: Object.fromEntries(kept), moved };
  const begin = typeof description === "string" && description !== "" ? `${description}\n\n` : "";
  return { kept: { ...rest, description: `${begin}{${told.join(", ")}}` }, moved };
}

function accepts({ keywords, formats, mostMinItems }: SchemaRules, keyword: string, value: unknown): boolean {
  if (keyword === "format" && typeof value === "string" && formats !== undefined) return formats.has(value);
  if (keyword === "minItems" && typeof value === "number" && value > (mostMinItems ?? value)) return false;
  return structural.has(keyword) || (keywords?.has(keyword) ?? true);
}

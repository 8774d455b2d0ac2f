import { References, schemasIn } from "./references.ts";
import { entriesOf, isSchema, listOf, type Schema, type SchemaLimits } from "./schema-rules.ts";

const names: Readonly<Record<keyof SchemaLimits, string>> = {
  properties: "properties",
  levels: "levels of objects",
  values: "enum values",
  longEnum: "characters in a long enum",
  characters: "characters of names and enum values",
  optional: "optional properties",
  unions: "schemas with several types",
};

/** Number of values from which on the lengths of the strings of an `enum` count. */
const longEnumValues = 250;

/** Returns which limit a schema exceeds, such as `more than 1000 enum values`. */
export function exceededLimit(schema: Schema, limits: SchemaLimits): string | undefined {
  const found = sizesOf(schema);
  for (const key of ["properties", "levels", "values", "longEnum", "characters", "optional", "unions"] as const) {
    const limit = limits[key];
    if (limit !== undefined && found[key] > limit) return `more than ${limit} ${names[key]}`;
  }
  return undefined;
}

function sizesOf(root: Schema): Record<keyof SchemaLimits, number> {
  const sizes = { properties: 0, levels: 0, values: 0, longEnum: 0, characters: 0, optional: 0, unions: 0 };
  for (const schema of schemasIn(root, true)) {
    const properties = entriesOf(schema.properties).map(([name]) => name);
    const required = new Set(listOf(schema.required));
    const values = listOf(schema.enum);
    const literals = lengthOf("const" in schema ? [...values, schema.const] : values);
    sizes.properties += properties.length;
    sizes.optional += properties.filter((name) => !required.has(name)).length;
    sizes.values += values.length;
    if (values.length > longEnumValues) sizes.longEnum = Math.max(sizes.longEnum, lengthOf(values));
    sizes.characters += literals + lengthOf([...properties, ...entriesOf(schema.$defs).map(([name]) => name)]);
    if (Array.isArray(schema.type) || "anyOf" in schema) sizes.unions++;
  }
  sizes.levels = levelsOf(root, new References(root), new Map());
  return sizes;
}

function lengthOf(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
}

/** @param known levels of the schemas that references name; 0 while they are counted, so that recursion ends */
function levelsOf(value: unknown, references: References, known: Map<string, number>): number {
  if (!isSchema(value)) return 0;
  const { $ref, properties, items, additionalProperties, prefixItems, anyOf, oneOf } = value;
  if (typeof $ref === "string") {
    const levels = known.get($ref);
    if (levels !== undefined) return levels;
    known.set($ref, 0);
    known.set($ref, levelsOf(references.find($ref), references, known));
    return known.get($ref) ?? 0;
  }
  const inner = [
    ...entriesOf(properties).map(([, schema]) => schema),
    ...[items, additionalProperties, ...listOf(prefixItems), ...listOf(anyOf), ...listOf(oneOf)],
  ];
  const deepest = inner.reduce<number>((most, one) => Math.max(most, levelsOf(one, references, known)), 0);
  return deepest + (properties === undefined ? 0 : 1);
}

import { isLargeInteger } from "./large-integers.ts";
import { isSchema, listOf, type Schema } from "./schema-rules.ts";

/** Names of types, in the order in which a type is inferred from keywords. */
const typeNames = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;

/** Keywords that constrain only values of one type. */
const keywordsOfTypes: Readonly<Record<string, readonly string[]>> = {
  object: [
    ...["properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties"],
    ...["maxProperties", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"],
  ],
  array: [
    ...["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains"],
    ...["maxContains", "unevaluatedItems"],
  ],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
};

const typeOfKeyword: ReadonlyMap<string, string> = new Map(
  Object.entries(keywordsOfTypes).flatMap(([type, keywords]) => keywords.map((keyword) => [keyword, type] as const)),
);

/** Keywords that constrain values of every type. */
const generalConstraints: ReadonlySet<string> = new Set([
  ...["type", "enum", "const", "not", "if", "then", "else", "allOf", "anyOf", "oneOf", "$ref", "$dynamicRef"],
  "$recursiveRef",
]);

/** Whether a keyword can make a value of these types invalid. */
export function constrains(keyword: string, types: readonly string[]): boolean {
  if (generalConstraints.has(keyword)) return true;
  const type = typeOfKeyword.get(keyword);
  if (type === undefined) return false;
  return types.includes(type) || (type === "number" && types.includes("integer"));
}

/** Returns the declared types of a schema, else those that its values or keywords imply. Empty: unknown. */
export function typesOf(schema: Schema): readonly string[] {
  const declared = Array.isArray(schema.type) ? schema.type : [schema.type];
  const known = declared.filter((name) => typeNames.some((type) => type === name));
  if (known.length > 0) return known.map(String);
  const values = "const" in schema ? [schema.const] : listOf(schema.enum);
  if (values.length > 0) return [...new Set(values.map(typeOfValue))];
  const implied = Object.keys(keywordsOfTypes).find((type) =>
    keywordsOfTypes[type]?.some((keyword) => keyword in schema),
  );
  return implied === undefined ? [] : [implied];
}

export function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (isLargeInteger(value)) return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return isSchema(value) ? "object" : typeof value;
}

export function isOfType(value: unknown, types: readonly string[]): boolean {
  const type = typeOfValue(value);
  return types.includes(type) || (type === "integer" && types.includes("number"));
}

/** Returns a schema without the keywords of other types. */
export function ofType(schema: Schema, type: string): Schema {
  const kept = Object.entries(schema).filter(([keyword]) => {
    const other = typeOfKeyword.get(keyword);
    return other === undefined || constrains(keyword, [type]);
  });
  const { enum: values, ...rest } = Object.fromEntries(kept);
  const own = Array.isArray(values) ? { enum: values.filter((value) => isOfType(value, [type])) } : {};
  return { ...rest, ...own, type };
}

import { isOfType, typeOfValue } from "./keywords.ts";
import { entriesOf, listOf, type Schema, type SchemaRules } from "./schema-rules.ts";

/** Why an API accepts no schema that accepts the same values. */
export class Unfit extends Error {
  override readonly name = "Unfit";
}

/** Returns a schema whose `enum` and `const` the API accepts. */
export function literals(
  schema: Schema,
  types: readonly string[],
  { at, takesConst }: { readonly at: string; readonly takesConst: boolean },
): Schema {
  if (!("const" in schema) && !Array.isArray(schema.enum)) return schema;
  const { const: constant, enum: values, ...rest } = schema;
  const allowed = "const" in schema ? [constant] : listOf(values).filter((value) => isOfType(value, types));
  if (allowed.some((value) => ["object", "array"].includes(typeOfValue(value)))) {
    throw new Unfit(`objects or arrays in enum or const at ${at || "/"}`);
  }
  if (allowed.length === 0) throw new Unfit(`a schema that accepts no value at ${at || "/"}`);
  return "const" in schema && takesConst ? { ...rest, const: constant } : { ...rest, enum: allowed };
}

/** Throws `Unfit` if an object accepts properties that it does not declare. `names`: those that it declares. */
export function checkClosed(
  { properties, required, additionalProperties, ...rest }: Schema,
  names: ReadonlySet<string>,
  at: string,
): void {
  const place = at || "/";
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  const isFree = properties === undefined && additionalProperties === undefined && rest.unevaluatedProperties !== false;
  if (isOpen || isFree || rest.patternProperties !== undefined) {
    throw new Unfit(`an object with any properties at ${place}`);
  }
  const undeclared = listOf(required).find((name) => typeof name === "string" && !names.has(name));
  if (undeclared !== undefined) throw new Unfit(`a required property that is not in properties at ${place}`);
}

/** Throws `Unfit` if the API requires all or some properties, and this object does not. */
export function checkRequired(
  { properties, required }: Schema,
  { allRequired, someRequired }: SchemaRules,
  at: string,
): void {
  const needed = new Set(listOf(required));
  if (someRequired && needed.size === 0) throw new Unfit(`an object without a required property at ${at || "/"}`);
  const optional = allRequired ? entriesOf(properties).find(([name]) => !needed.has(name)) : undefined;
  if (optional !== undefined) throw new Unfit(`the optional property ${optional[0]}`);
}

/** Returns a schema that also accepts null. */
export function withNull(schema: Schema, { oneType, keywords }: SchemaRules): Schema {
  const { type, enum: values } = schema;
  const isFlat = typeof type === "string" && !["object", "array"].includes(type) && !("const" in schema);
  if (isFlat && !oneType) {
    return { ...schema, type: [type, "null"], ...(Array.isArray(values) && { enum: [...values, null] }) };
  }
  if (!(keywords?.has("anyOf") ?? true)) throw new Unfit("nullable");
  return { anyOf: [schema, { type: "null" }] };
}

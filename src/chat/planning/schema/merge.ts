import { entriesOf, isSame, isSchema, listOf, type Schema } from "./schema-rules.ts";

/** Schema that accepts at least what the merged schemas accept together. `exact`: and no more. */
interface Merged {
  readonly schema: Schema;
  readonly exact: boolean;
}

/** How to combine two values of a keyword so that both hold. */
const combiners: Readonly<Record<string, (one: number, other: number) => number>> = {
  minimum: Math.max,
  exclusiveMinimum: Math.max,
  minLength: Math.max,
  minItems: Math.max,
  minProperties: Math.max,
  maximum: Math.min,
  exclusiveMaximum: Math.min,
  maxLength: Math.min,
  maxItems: Math.min,
  maxProperties: Math.min,
};

/** Keywords that constrain nothing; the first schema's value is kept. */
const annotations: ReadonlySet<string> = new Set([
  "title",
  "description",
  "default",
  "examples",
  "$comment",
  "$schema",
]);

/** Merges two schemas that must both hold. */
export function both(one: Schema, other: Schema): Merged {
  const schema: Record<string, unknown> = { ...one };
  let exact = true;
  for (const [keyword, value] of Object.entries(other)) {
    if (!Object.hasOwn(one, keyword)) {
      schema[keyword] = value;
      continue;
    }
    const merged = bothValues(keyword, one[keyword], value);
    schema[keyword] = merged.value;
    exact &&= merged.exact;
  }
  return { schema, exact: exact && !addsNames(one, other) && !addsNames(other, one) };
}

/** Whether a closed object rejects properties of another schema. The merged schema does not. */
function addsNames(closed: Schema, other: Schema): boolean {
  if (closed.additionalProperties !== false) return false;
  const names = new Set(entriesOf(closed.properties).map(([name]) => name));
  const addsPatterns =
    other.patternProperties !== undefined && !isSame(other.patternProperties, closed.patternProperties);
  return addsPatterns || entriesOf(other.properties).some(([name]) => !names.has(name));
}

function bothValues(
  keyword: string,
  one: unknown,
  other: unknown,
): { readonly value: unknown; readonly exact: boolean } {
  if (isSame(one, other) || annotations.has(keyword)) return { value: one, exact: true };
  const combine = combiners[keyword];
  if (combine !== undefined && typeof one === "number" && typeof other === "number") {
    return { value: combine(one, other), exact: true };
  }
  switch (keyword) {
    case "required":
      return { value: [...new Set([...listOf(one), ...listOf(other)])], exact: true };
    case "enum":
      return { value: bothLists(listOf(one), listOf(other)), exact: true };
    case "type": {
      const types = commonTypes([one].flat(), [other].flat());
      const [first] = types;
      return { value: types.length === 1 ? first : types.length > 1 ? types : one, exact: types.length > 0 };
    }
    case "properties":
      return bothProperties(one, other);
    case "additionalProperties":
      if (one === false || other === false) return { value: false, exact: true };
      if (one === true || other === true) return { value: one === true ? other : one, exact: true };
      return { value: one, exact: false };
    default:
      return { value: one, exact: false };
  }
}

function bothLists(one: readonly unknown[], other: readonly unknown[]): readonly unknown[] {
  const texts = new Set(other.map((item) => JSON.stringify(item)));
  return one.filter((item) => texts.has(JSON.stringify(item)));
}

function commonTypes(one: readonly unknown[], other: readonly unknown[]): readonly unknown[] {
  const has = (types: readonly unknown[], type: unknown) =>
    types.includes(type) || (type === "integer" && types.includes("number"));
  return [...new Set([...one, ...other])].filter((type) => has(one, type) && has(other, type));
}

function bothProperties(one: unknown, other: unknown) {
  const properties = new Map(entriesOf(one));
  let exact = true;
  for (const [name, schema] of entriesOf(other)) {
    const own = properties.get(name);
    if (own === undefined) properties.set(name, schema);
    else if (isSchema(own) && isSchema(schema)) {
      const merged = both(own, schema);
      properties.set(name, merged.schema);
      exact &&= merged.exact;
    } else if (!isSame(own, schema)) {
      exact = false;
    }
  }
  return { value: Object.fromEntries(properties), exact };
}

/**
 * Merges object schemas of which one must hold into one object schema: it requires what all of them require, and a
 * property has one of its schemas.
 */
export function anyObject(alternatives: readonly Schema[]): Schema {
  const schemas = new Map<string, unknown[]>();
  for (const { properties } of alternatives) {
    for (const [name, schema] of entriesOf(properties)) {
      const known = schemas.get(name);
      if (known === undefined) schemas.set(name, [schema]);
      else known.push(schema);
    }
  }
  const [first, ...others] = alternatives;
  const otherLists = others.map(({ required: names }) => new Set(listOf(names)));
  const required = listOf(first?.required).filter((name) => otherLists.every((names) => names.has(name)));
  const isClosed = alternatives.every(
    ({ additionalProperties, patternProperties }) => additionalProperties === false && patternProperties === undefined,
  );
  return {
    type: "object",
    properties: Object.fromEntries(Array.from(schemas, ([name, known]) => [name, anyOfThese(known)])),
    ...(required.length > 0 && { required }),
    ...(isClosed && { additionalProperties: false }),
  };
}

/** Returns a schema for the values that any of these schemas accepts. */
export function anyOfThese(schemas: readonly unknown[]): unknown {
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  const [first] = distinct;
  if (distinct.length === 1) return first;
  const literals = distinct.map(literalsOf);
  const types = new Set(distinct.map((schema) => (isSchema(schema) ? JSON.stringify(schema.type) : "")));
  if (literals.every((values) => values !== undefined) && types.size === 1) {
    return {
      ...(isSchema(first) && first.type !== undefined && { type: first.type }),
      enum: [...new Set(literals.flat())],
    };
  }
  return { anyOf: distinct };
}

function literalsOf(schema: unknown): readonly unknown[] | undefined {
  if (!isSchema(schema)) return undefined;
  if ("const" in schema) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : undefined;
}

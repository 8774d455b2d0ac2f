import { entriesOf, isSchema, listOf, type Schema } from "./schema-rules.ts";

/** Gives every array in a schema `items`, and leaves everything else as it is. */
export function withItems(schema: Schema): Schema {
  const changed = Object.entries(schema).map(([keyword, value]) => {
    if (keyword === "properties" || keyword === "$defs" || keyword === "definitions") {
      const inner = entriesOf(value).map(([name, one]) => [name, isSchema(one) ? withItems(one) : one] as const);
      return [keyword, Object.fromEntries(inner)] as const;
    }
    if (/^(anyOf|oneOf|allOf|prefixItems)$/.test(keyword)) {
      return [keyword, listOf(value).map((one) => (isSchema(one) ? withItems(one) : one))] as const;
    }
    const isInner = keyword === "items" || keyword === "additionalProperties";
    return [keyword, isInner && isSchema(value) ? withItems(value) : value] as const;
  });
  const isArray = [schema.type].flat().includes("array");
  return { ...Object.fromEntries(changed), ...(isArray && !("items" in schema) && { items: {} }) };
}

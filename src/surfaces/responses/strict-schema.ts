/** Keywords of JSON Schema whose values are schemas, lists of them, or objects of them. */
const inner = ["properties", "$defs", "definitions", "items", "anyOf"] as const;

/** Keywords that strict mode does not allow. https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const forbidden = ["allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "dependentRequired"] as const;

/** Whether strict mode allows a schema of parameters: closed objects whose properties are all required. */
export function isStrictSchema(schema: unknown): boolean {
  return isObject(schema) && schema.type === "object" && allows(schema);
}

function allows(schema: unknown): boolean {
  if (!isObject(schema) || forbidden.some((name) => Object.hasOwn(schema, name))) return false;
  const { type, properties, required, additionalProperties } = schema;
  const isClosed = type === "object" || (Array.isArray(type) && type.includes("object")) || isObject(properties);
  if (isClosed) {
    const names = Object.keys(isObject(properties) ? properties : {});
    const all = Array.isArray(required) ? new Set<unknown>(required) : new Set();
    if (additionalProperties !== false || names.some((name) => !all.has(name))) return false;
  }
  return inner.every((name) => {
    const value = schema[name];
    if (value === undefined) return true;
    if (name === "items") return allows(value);
    return (Array.isArray(value) ? value : Object.values(isObject(value) ? value : {})).every(allows);
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

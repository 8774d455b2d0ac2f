/** The part of a JSON Schema that the engine's grammar can enforce. */
interface GrammarSchema {
  /** JSON Schema with only the keywords that the engine supports. */
  readonly schema: unknown;
  /** Omitted keywords: a response may violate them. */
  readonly unenforced: readonly string[];
}

type SchemaObject = Readonly<Record<string, unknown>>;

const anyJson: SchemaObject = {
  oneOf: [
    { type: "object", additionalProperties: true },
    { type: "array" },
    { type: "string" },
    { type: "number" },
    { type: "boolean" },
    { type: "null" },
  ],
};

/** Keywords that do not restrict values or that other code handles. The grammar makes all properties required. */
const neutral = new Set(
  (
    "$schema $id $comment $defs definitions title description default examples deprecated readOnly writeOnly " +
    "required"
  ).split(" "),
);

/** Keywords that the engine enforces, by the type to which they apply. */
const enforced: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "additionalProperties", "minProperties", "maxProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength"],
  number: [],
  integer: [],
  boolean: [],
  null: [],
};

/** Keywords that the engine does not know, by the type to which they apply. They do not affect other types. */
const unknown: Readonly<Record<string, readonly string[]>> = {
  object: ["patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"],
  array: ["uniqueItems", "contains", "minContains", "maxContains"],
  string: ["pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
};

const typeKeywords = [...Object.values(enforced), ...Object.values(unknown)].flat();

/** String formats that the engine enforces. */
const formats: readonly unknown[] = ["date-time", "time", "date"];

/** Rewrites a JSON Schema for the engine, which silently ignores what it does not know, or generates `null` for it. */
export function toGrammarSchema(schema: unknown): GrammarSchema {
  const unenforced = new Set<string>();
  const defs = isObject(schema) ? { ...objectOf(schema.definitions), ...objectOf(schema.$defs) } : {};
  const converted = convert(schema);
  const converts = Object.fromEntries(Object.entries(defs).map(([name, value]) => [name, convert(value)]));
  return {
    schema: Object.keys(converts).length === 0 ? converted : { ...converted, $defs: converts },
    unenforced: [...unenforced],
  };

  function convert(value: unknown): SchemaObject {
    if (!isObject(value)) {
      if (value === false) unenforced.add("false");
      return anyJson;
    }
    const keep = (kept: SchemaObject, ...read: readonly string[]): SchemaObject => {
      for (const key of Object.keys(value)) if (!neutral.has(key) && !read.includes(key)) unenforced.add(key);
      return kept;
    };
    if (typeof value.$ref === "string") {
      const name = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(value.$ref)?.[1];
      if (name !== undefined && name in defs) return keep({ $ref: `#/$defs/${name}` }, "$ref");
      return keep(anyJson);
    }
    if (isScalar(value.const)) return keep({ const: value.const }, "const", "type");
    if (Array.isArray(value.enum) && value.enum.every(isScalar)) return keep({ enum: value.enum }, "enum", "type");
    const branches = value.anyOf ?? value.oneOf ?? (listOf(value.allOf).length === 1 ? value.allOf : undefined);
    if (Array.isArray(branches)) {
      const read = ["anyOf", "oneOf", "allOf"].find((key) => value[key] === branches) ?? "";
      return keep({ oneOf: branches.map(convert) }, read);
    }
    const types = Array.isArray(value.type) ? value.type : [value.type ?? impliedType(value)];
    if (types.length > 1) return { oneOf: types.map((type) => convert({ ...value, type })) };
    const [type] = types;
    if (typeof type !== "string" || !(type in enforced)) return keep(anyJson, "type");
    if (type === "string" && formats.includes(value.format))
      return keep({ type, format: value.format }, "type", "format");
    const read = enforced[type] ?? [];
    const own = Object.fromEntries(read.filter((key) => key in value).map((key) => [key, nested(key, value[key])]));
    if (type === "object" && !("properties" in value)) own.additionalProperties ??= true;
    if (type === "object" && missingProperties(value)) unenforced.add("required");
    const breakable = unknown[type === "integer" ? "number" : type] ?? [];
    return keep({ type, ...own }, "type", ...typeKeywords.filter((key) => !breakable.includes(key)));
  }

  function nested(key: string, value: unknown): unknown {
    if (key === "properties") {
      return Object.fromEntries(Object.entries(objectOf(value)).map(([name, property]) => [name, convert(property)]));
    }
    if (key === "prefixItems") return listOf(value).map(convert);
    if (key === "items") return convert(value);
    return key === "additionalProperties" && isObject(value) ? convert(value) : value;
  }
}

function impliedType(schema: SchemaObject): string | undefined {
  return Object.keys(enforced).find((type) => enforced[type]?.some((keyword) => keyword in schema));
}

/** Whether `required` has keys that are not in `properties`. */
function missingProperties({ required, properties }: SchemaObject): boolean {
  const known = objectOf(properties);
  return listOf(required).some((name) => typeof name === "string" && !(name in known));
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function objectOf(value: unknown): SchemaObject {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { OutputViolation } from "../../gen/dragoman/v1/output_format_pb.js";
import { unicodePattern } from "../../unicode-pattern.ts";

/** Maximum characters of a message: the validator's messages contain names from the output and the schema. */
const longestMessage = 500;

/**
 * Validates a JSON value against a JSON Schema. Returns the first violation; undefined if the value is valid. Throws
 * for a schema that the validator cannot read.
 */
export function schemaViolation(schemaJson: string, value: unknown): OutputViolation | undefined {
  const parsed = JSON.parse(schemaJson);
  const schema: Schema = unusual.test(schemaJson) ? inDraft2020(parsed) : parsed;
  const { valid, errors } = new Validator(schema, "2020-12").validate(value);
  return valid ? undefined : violationOf(errors);
}

/** Creates a violation. The paths are empty if the whole output is wrong. */
export function outputViolation(message: string, instancePath = "", schemaPath = ""): OutputViolation {
  return { $typeName: "dragoman.v1.OutputViolation", message, instancePath, schemaPath };
}

/**
 * Keywords that apply another schema, whose first error comes next in the list. Not `anyOf` and `oneOf`, which list the
 * errors of every alternative.
 */
const wrappers: ReadonlySet<string> = new Set([
  "$ref",
  "additionalItems",
  "additionalProperties",
  "allOf",
  "dependencies",
  "dependentSchemas",
  "if",
  "items",
  "prefixItems",
  "properties",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/** Returns the innermost error that has a single cause. The validator lists each error before those inside it. */
function violationOf(errors: readonly OutputUnit[]): OutputViolation {
  let wrapper: OutputUnit | undefined;
  for (const error of errors) {
    // A schema that is just `false` has no keyword: the keyword that applies it is violated.
    const violated = error.keyword === "false" && wrapper !== undefined ? wrapper : error;
    if (wrappers.has(error.keyword) && error !== errors.at(-1)) {
      wrapper = error;
      continue;
    }
    const message = violated.error.slice(0, longestMessage).toWellFormed();
    return outputViolation(message, toPointer(error.instanceLocation), toPointer(violated.keywordLocation));
  }
  return outputViolation("the output does not conform to the schema");
}

/** Converts the URI fragment of a JSON Pointer to its text. RFC 6901, section 6. */
function toPointer(fragment: string): string {
  return decodeURIComponent(fragment.slice(1)).toWellFormed();
}

/** Keywords of other dialects of JSON Schema, and keywords with patterns. */
const unusual = /"(nullable|exclusiveMinimum|exclusiveMaximum|pattern|patternProperties)"/;

/**
 * Returns a schema in which keywords have the meaning that callers who write them expect, and providers give them:
 * `nullable` and the flags `exclusiveMinimum` and `exclusiveMaximum` of OpenAPI 3.0 and draft 4, and patterns with
 * escapes of other engines.
 */
function inDraft2020(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inDraft2020);
  if (typeof value !== "object" || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inDraft2020(one)]));
  return withNullable(withBounds(withPatterns(inner)));
}

type Keywords = Record<string, unknown>;

function withPatterns(schema: Keywords): Keywords {
  const { pattern, patternProperties: named } = schema;
  const isNamed = typeof named === "object" && named !== null && !Array.isArray(named);
  return {
    ...schema,
    ...(typeof pattern === "string" && { pattern: unicodePattern(pattern) ?? pattern }),
    ...(isNamed && {
      patternProperties: Object.fromEntries(
        Object.entries(named).map(([name, one]) => [unicodePattern(name) ?? name, one] as const),
      ),
    }),
  };
}

function withBounds(schema: Keywords): Keywords {
  let result = schema;
  for (const [bound, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    if (typeof result[exclusive] !== "boolean") continue;
    const { [bound]: limit, [exclusive]: isExclusive, ...rest } = result;
    result = limit === undefined ? rest : { ...rest, [isExclusive ? exclusive : bound]: limit };
  }
  return result;
}

function withNullable({ nullable, ...rest }: Keywords): Keywords {
  if (nullable !== true) return nullable === undefined ? rest : { ...rest, nullable };
  if (typeof rest.type !== "string") return { anyOf: [rest, { type: "null" }] };
  return {
    ...rest,
    type: [rest.type, "null"],
    ...(Array.isArray(rest.enum) && { enum: [...rest.enum, null] }),
  };
}

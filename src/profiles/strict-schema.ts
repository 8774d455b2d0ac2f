import { excessOf } from "../chat/validation/json-bounds.ts";

/** Maximum number of branches in an anyOf of a strict schema at Cerebras. */
const mostBranches = 5;

type Schema = Readonly<Record<string, unknown>>;

/**
 * Returns the first violation of Cerebras' rules for strict JSON schemas (inference-docs.cerebras.ai, structured
 * outputs), or undefined if the schema is valid. Other checks report text that is not JSON or exceeds the JSON bounds.
 */
export function strictSchemaProblem(schemaJson: string, maxValues: number): string | undefined {
  if (excessOf(schemaJson, maxValues) !== undefined) return undefined;
  let schema: unknown;
  try {
    schema = JSON.parse(schemaJson);
  } catch {
    return undefined;
  }
  const [first] = problems(schema, "");
  return first;
}

function* problems(value: unknown, path: string): Generator<string> {
  if (!isSchema(value)) return;
  const at = path === "" ? "the schema" : path;
  if (Array.isArray(value.type)) yield `${at} has a list of types; strict mode requires anyOf instead`;
  if (Array.isArray(value.anyOf) && value.anyOf.length > mostBranches) {
    yield `${at} has an anyOf with more than ${mostBranches} branches, the maximum in strict mode`;
  }
  if (value.items === true) yield `${at} has items: true; strict mode requires a schema for items`;
  if (isSchema(value.properties)) {
    if (value.additionalProperties !== false) yield `${at} needs additionalProperties: false in strict mode`;
    const required: ReadonlySet<unknown> = new Set(Array.isArray(value.required) ? value.required : []);
    const missing = Object.keys(value.properties).find((name) => !required.has(name));
    if (missing !== undefined) yield `${at} must list every property in required in strict mode; add ${missing}`;
  }
  for (const [key, child] of Object.entries(value)) {
    const childPath = `${path}/${key}`;
    if (key === "enum" || key === "const" || key === "default" || key === "examples") continue;
    if (Array.isArray(child)) {
      for (const [index, item] of child.entries()) yield* problems(item, `${childPath}/${index}`);
    } else if (namesSchemas.includes(key) && isSchema(child)) {
      for (const [name, item] of Object.entries(child)) yield* problems(item, `${childPath}/${name}`);
    } else {
      yield* problems(child, childPath);
    }
  }
}

/** Keywords whose child keys are names that the caller chose, not keywords. */
const namesSchemas: readonly string[] = ["properties", "$defs", "definitions", "patternProperties"];

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

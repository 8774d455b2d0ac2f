import { excessOf } from "../chat/validation/json-bounds.ts";

/** Branches that one anyOf may have. */
const mostBranches = 5;

type Schema = Readonly<Record<string, unknown>>;

/**
 * Why a schema breaks Cerebras' rules for strict JSON schemas (inference-docs.cerebras.ai, structured outputs);
 * undefined when it keeps them. Text that is no JSON, or out of bounds, is reported elsewhere.
 */
export function strictSchemaProblem(schemaJson: string): string | undefined {
  if (excessOf(schemaJson) !== undefined) return undefined;
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
  if (Array.isArray(value.type)) yield `${at} has a list of types, which strict mode lacks: use anyOf`;
  if (Array.isArray(value.anyOf) && value.anyOf.length > mostBranches) {
    yield `${at} has an anyOf with more than ${mostBranches} branches, the most that strict mode takes`;
  }
  if (value.items === true) yield `${at} has items: true, which strict mode lacks: give a schema`;
  if (isSchema(value.properties)) {
    if (value.additionalProperties !== false) yield `${at} needs additionalProperties: false in strict mode`;
    const required: ReadonlySet<unknown> = new Set(Array.isArray(value.required) ? value.required : []);
    const missing = Object.keys(value.properties).find((name) => !required.has(name));
    if (missing !== undefined) yield `${at} must list every property as required in strict mode: ${missing} is not`;
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

/** Keywords whose keys are names of the caller and not keywords. */
const namesSchemas: readonly string[] = ["properties", "$defs", "definitions", "patternProperties"];

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { entriesOf, isSchema, type Schema } from "./schema-rules.ts";

/** Maximum number of references that the searches for recursion follow. */
const mostFollowed = 100_000;

/** The references of a schema to its own parts. */
export class References {
  readonly #root: Schema;
  readonly #leads = new Map<string, boolean>();
  #followed = 0;

  constructor(root: Schema) {
    this.#root = root;
  }

  /** Returns the schema that a local reference names. Undefined: there is none, or the reference is not local. */
  find(reference: unknown): unknown {
    if (typeof reference !== "string" || !/^#(\/|$)/.test(reference)) return undefined;
    let found: unknown = this.#root;
    for (const step of stepsOf(reference)) {
      if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
      found = Reflect.get(found, step);
    }
    return found;
  }

  /** Whether a schema with this reference contains itself, or refers to too many schemas to know. */
  isRecursive(reference: string): boolean {
    return this.leadsTo(reference, reference);
  }

  /** Whether a schema contains the schema `target`, both by their references, or refers to too many to know. */
  leadsTo(reference: string, target: string): boolean {
    const key = JSON.stringify([reference, target]);
    const known = this.#leads.get(key);
    if (known !== undefined) return known;
    const reached = new Set<string>();
    const open: unknown[] = [this.find(reference)];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const inner of referencesIn(next)) {
        if (++this.#followed > mostFollowed) return true;
        if (reached.has(inner)) continue;
        reached.add(inner);
        open.push(this.find(inner));
      }
    }
    const leads = reached.has(target);
    this.#leads.set(key, leads);
    return leads;
  }
}

/** Returns the name of a definition that a reference names. Undefined: the reference names no definition. */
export function definitionName(reference: unknown): string | undefined {
  if (typeof reference !== "string") return undefined;
  const [, name] = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(reference) ?? [];
  return name === undefined ? undefined : unescapeStep(name);
}

/** Escapes a name for a JSON Pointer. RFC 6901, section 3. */
export function escapeStep(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function stepsOf(reference: string): readonly string[] {
  return reference.split("/").slice(1).map(unescapeStep);
}

function unescapeStep(step: string): string {
  let text = step;
  try {
    text = decodeURIComponent(step);
  } catch {
    // The step has a percent sign of its own.
  }
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Keywords whose value is data. */
const dataKeywords: ReadonlySet<string> = new Set(["const", "enum", "default", "examples", "required"]);

/** Keywords whose value maps names that the caller chose to schemas. */
const schemaMaps: ReadonlySet<string> = new Set([
  ...["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"],
]);

/** Yields a schema and the schemas inside it, except definitions, which only references reach. */
export function* schemasIn(value: unknown, withDefinitions = false): Generator<Schema> {
  if (Array.isArray(value)) {
    for (const item of value) yield* schemasIn(item, withDefinitions);
  }
  if (!isSchema(value)) return;
  yield value;
  for (const [keyword, inner] of Object.entries(value)) {
    const isDefinitions = keyword === "$defs" || keyword === "definitions";
    if (dataKeywords.has(keyword) || (isDefinitions && !withDefinitions)) continue;
    if (schemaMaps.has(keyword)) {
      for (const [, schema] of entriesOf(inner)) yield* schemasIn(schema, withDefinitions);
    } else {
      yield* schemasIn(inner, withDefinitions);
    }
  }
}

function referencesIn(value: unknown): readonly string[] {
  return [...schemasIn(value)].flatMap(({ $ref }) => (typeof $ref === "string" ? [$ref] : []));
}

import { isDeepStrictEqual } from "node:util";
import { parseWithLargeIntegers } from "./large-integers.ts";
import { anyObject, both } from "./merge.ts";
import { SchemaFitter } from "./schema-fitter.ts";
import { exceededLimit } from "./schema-limits.ts";
import { isSame, isSchema, listOf, type MovedKeyword, type Schema, type SchemaRules } from "./schema-rules.ts";
import { checkRequired, Unfit } from "./unfit.ts";
import { withItems } from "./with-items.ts";

/** A schema that an API accepts, and what it does not say of the caller's schema. */
interface FittedSchema {
  /** JSON text of the schema: the caller's own text if the API accepts it. */
  readonly json: string;
  readonly moved: readonly MovedKeyword[];
}

/**
 * Rewrites a JSON Schema for an API. Every value that the caller's schema accepts, without properties that it does not
 * declare, also conforms to the rewritten one. Keywords that the API does not accept go into the description, so that
 * the model still sees them. Returns why there is no such schema, if there is none.
 */
export function fitSchema(json: string, rules: SchemaRules): FittedSchema | { readonly unfit: string } {
  const schema = parseWithLargeIntegers(json);
  if (!isSchema(schema)) return { unfit: "a schema that is no object" };
  try {
    const fitter = new SchemaFitter(schema, rules);
    const fitted =
      rules.keywords === undefined ? withRoot(schema, schema, rules, fitter) : fitWhole(schema, rules, fitter);
    const exceeded = rules.limits && exceededLimit(fitted, rules.limits);
    if (exceeded !== undefined) return { unfit: exceeded };
    return { json: isDeepStrictEqual(fitted, schema) ? json : JSON.stringify(fitted), moved: fitter.moved };
  } catch (error) {
    if (error instanceof Unfit) return { unfit: error.message };
    throw error;
  }
}

function fitWhole(schema: Schema, rules: SchemaRules, fitter: SchemaFitter): Schema {
  const fitted = fitter.rewrite(rules.root === "object" ? objectRoot(schema, fitter) : schema, "");
  const definitions = fitter.definitions();
  const whole = definitions === undefined ? fitted : { ...fitted, $defs: definitions };
  return withRoot(whole, whole, rules, fitter);
}

/** Makes the root an object without alternatives, if the API requires it. */
function withRoot(given: Schema, whole: Schema, rules: SchemaRules, fitter: SchemaFitter): Schema {
  const isPlain = !["allOf", "anyOf", "oneOf"].some((keyword) => keyword in given);
  if (rules.root === undefined || (rules.root === "plain" && isPlain)) {
    return rules.itemsRequired ? withItems(given) : given;
  }
  const root = objectRoot(given, fitter);
  const { allOf, anyOf, oneOf, ...rest } = root;
  const alternatives = anyOf ?? oneOf;
  let result: Schema = rest;
  for (const part of listOf(allOf)) result = merged(result, fitter.resolve(part, whole), "allOf", fitter);
  if (Array.isArray(alternatives)) {
    const objects = alternatives.map((alternative) => objectRoot(fitter.resolve(alternative, whole), fitter));
    const union = anyObject(objects);
    result = merged(result, union, anyOf === undefined ? "oneOf" : "anyOf", fitter);
    if (alternatives.length > 1) fitter.move(anyOf === undefined ? "oneOf" : "anyOf", "");
  }
  for (const keyword of ["not", "enum", "const", "if", "then", "else"]) {
    if (!(keyword in result)) continue;
    const { [keyword]: _, ...others } = result;
    fitter.move(keyword, "");
    result = others;
  }
  checkRequired(result, rules, "");
  const typed = isSame(result.type, "object") ? result : { ...result, type: "object" };
  return rules.itemsRequired ? withItems(typed) : typed;
}

function merged(one: Schema, other: Schema, keyword: string, fitter: SchemaFitter): Schema {
  const { schema, exact } = both(one, other);
  if (!exact) fitter.move(keyword, "");
  return schema;
}

/** Returns the root, or the schema that it refers to. Throws `Unfit` if it cannot be an object. */
function objectRoot(root: Schema, fitter: SchemaFitter): Schema {
  const resolved = fitter.resolve(root, root);
  const types = [resolved.type ?? "object"].flat();
  if (!types.includes("object")) throw new Unfit(`a root of type ${types.join(" or ")}`);
  if (types.length > 1) fitter.move("type", "");
  return resolved.type === "object" || resolved.type === undefined ? resolved : { ...resolved, type: "object" };
}

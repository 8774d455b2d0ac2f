import type { z } from "zod";
import { type FieldViolation, invalidRequest, mostViolations } from "../../errors.ts";
import { fromZodPath } from "../../field-path.ts";
import { nearest } from "../../nearest.ts";
import { missingHint, type PropertyHints, propertyHint } from "./property-hints.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** `FieldViolation.rule` of a schema violation. */
type SchemaRule = "missing" | "unknown_property" | Issue["code"];

/**
 * Validates a body and returns the schema's output. Throws INVALID_REQUEST with all violations. `hints` states what to
 * write instead of top-level properties of other APIs.
 */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  hints: PropertyHints = {},
): z.output<Schema> {
  const result = schema.safeParse(body, { error: describe });
  if (result.success) return result.data;
  const violations = result.error.issues.flatMap((issue) => violationsOf(issue, []));
  const hintOf = ({ rule, field }: FieldViolation): string | undefined => {
    if (rule === "unknown_property") return propertyHint(schema, field, hints);
    return missingHint(schema, field, body);
  };
  throw invalidRequest(
    violations.map((found, index) => {
      const hint = index < mostViolations ? hintOf(found) : undefined;
      return hint === undefined ? found : { ...found, description: `${found.description}; ${hint}` };
    }),
  );
}

/** Makes a property optional. Null means the same as absent, and becomes undefined. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Returns a copy without undefined properties, which the types of protobuf messages do not allow. */
export function present<Value extends object>(
  value: Value,
): { [Name in keyof Value]?: Exclude<Value[Name], undefined> };
export function present(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
}

const required = "is required";

/** Returns Dragoman's text for an issue; undefined to keep zod's text. */
function describe(issue: RawIssue): string | undefined {
  if (issue.input === undefined) return required;
  switch (issue.code) {
    case "invalid_type": {
      const format: unknown = issue.inst !== undefined && "format" in issue.inst._zod.def && issue.inst._zod.def.format;
      const expected = typeof format === "string" && /int/.test(format) ? "int" : issue.expected;
      return `must be ${nouns[expected] ?? expected}${quotesHint(expected, issue.input)}`;
    }
    case "invalid_value":
      return oneOf(issue.values, issue.input);
    case "invalid_union":
      // `options` is set if no branch has the value of the discriminator, such as `type`. List the valid values.
      return Array.isArray(issue.options) ? oneOf(issue.options, issue.input) : undefined;
    case "too_big":
      return `must ${amount("at most", issue.maximum, issue.origin)}`;
    case "too_small":
      return `must ${amount("at least", issue.minimum, issue.origin)}`;
    default:
      return undefined;
  }
}

/** Returns what to do about a number, true or false in quotes. */
function quotesHint(expected: string, input: unknown): string {
  if (typeof input !== "string") return "";
  const form = expected === "boolean" ? /^(true|false)$/i : /^-?\d+(\.\d+)?$/;
  return ["int", "number", "boolean"].includes(expected) && form.test(input) ? "; remove the quotes" : "";
}

function amount(bound: string, limit: number | bigint, origin: string): string {
  const unit = units[origin];
  return unit === undefined ? `be ${bound} ${limit}` : `have ${bound} ${limit} ${unit}`;
}

const units: Readonly<Record<string, string>> = { string: "characters", array: "entries", record: "entries" };

/** Maximum number of values that a text lists. */
const mostListed = 12;

function oneOf(values: readonly unknown[], input: unknown): string {
  if (values.length <= mostListed) return `must be ${either(values)}`;
  const names = values.filter((value) => typeof value === "string");
  const near = typeof input === "string" ? valuesLike(input, names) : [];
  const fix = near.length > 0 ? `did you mean ${either(near)}?` : `write one such as ${either(names.slice(0, 3))}`;
  return `is not one of the ${values.length} values of this API; ${fix}`;
}

/** Returns the values that a text probably means. Models of these APIs have no prefix, as in `openai/gpt-4o`. */
function valuesLike(text: string, values: readonly string[]): readonly string[] {
  const bare = text.slice(text.lastIndexOf("/") + 1);
  return values.includes(bare) ? [bare] : nearest(text, values);
}

function either(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return [texts.slice(0, -1).join(", "), ...texts.slice(-1)].filter((text) => text !== "").join(" or ");
}

const nouns: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function violationsOf(issue: Issue, outer: readonly PropertyKey[]): readonly FieldViolation[] {
  const path = [...outer, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => violation([...path, key], "is not a property of this API", "unknown_property"));
    case "invalid_union": {
      const branch = meantBranch(issue.errors);
      if (branch !== undefined) return branch.flatMap((nested) => violationsOf(nested, path));
      return [violation(path, issue.message, issue.code)];
    }
    case "invalid_key":
      return [violation(path, issue.issues[0]?.message ?? issue.message, issue.code)];
    default:
      return [violation(path, issue.message, issue.message === required ? "missing" : issue.code)];
  }
}

/**
 * Guesses the union branch that the caller meant: the first whose issues are all in nested fields or unknown
 * properties. The value itself then has the right type. Undefined if there is none.
 */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => issues.length > 0 && issues.every(({ path, code }) => isInside(path, code)));
}

function isInside(path: readonly PropertyKey[], code: Issue["code"]): boolean {
  return path.length > 0 || code === "unrecognized_keys";
}

function violation(path: readonly PropertyKey[], description: string, rule: SchemaRule): FieldViolation {
  return { root: "body", field: fromZodPath(path), description, rule };
}

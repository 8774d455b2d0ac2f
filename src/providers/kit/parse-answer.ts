import { z } from "zod";
import { excessOf } from "../../chat/validation/json-bounds.ts";
import { runWithin, TookTooLong } from "../../run-within.ts";
import { malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type ErrorDialect, embeddedFailure } from "./errors.ts";

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Characters from which JSON is large: to parse and validate it can block all other calls. */
const largeLength = 64 * 1024;

interface Bounds {
  readonly values: number;
  /** Maximum time to validate the values, in ms. */
  readonly validationMs: number;
}

/** Bounds of large JSON. Each invalid value of a list takes 5 microseconds to validate. */
const usualBounds: Bounds = { values: 250_000, validationMs: 150 };

/**
 * Bounds of large JSON with log probabilities, the only reason why real responses have many values: 8,500 tokens with
 * 20 alternatives each have 13 MB and 2 million values, which take 500 ms to validate.
 */
const logprobsBounds: Bounds = { values: 2_500_000, validationMs: 1_000 };

/** Bounds of the values that were large JSON. */
const boundsOfValues = new WeakMap<object, Bounds>();

/** Parses JSON from a provider's response. Throws PROVIDER_FAULT if it is invalid, or has too many values or levels. */
export function parseJson(json: string, call: UpstreamCall, reviver?: Reviver): unknown {
  const bounds = json.length > largeLength ? boundsOf(json) : undefined;
  const excess = bounds && excessOf(json, bounds.values);
  if (excess !== undefined) throw malformedAnswer(call, `its JSON has too many ${excess}`);
  let value: unknown;
  try {
    value = JSON.parse(json, reviver);
  } catch {
    // Omit the SyntaxError as the cause: it quotes the response, which must not appear in the log.
    throw malformedAnswer(call, "it is not JSON");
  }
  if (bounds !== undefined && isObject(value)) boundsOfValues.set(value, bounds);
  return value;
}

const boundsOf = (json: string): Bounds => (/log_?probs?/i.test(json) ? logprobsBounds : usualBounds);

/**
 * Validates a JSON value from a response. Throws if the value does not match the schema, or if `holdsError` returns
 * true. The error is the provider's error in the value, or PROVIDER_FAULT if there is none.
 */
export function parseAnswer<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  call: UpstreamCall,
  dialect: ErrorDialect,
  holdsError?: (answer: z.infer<Schema>) => boolean,
): z.infer<Schema> {
  const parse = () => {
    const parsed = schema.safeParse(value);
    if (parsed.success && !holdsError?.(parsed.data)) return { answer: parsed.data };
    return { error: dialect.read(value), issue: parsed.error?.issues[0] };
  };
  const bounds = isObject(value) ? boundsOfValues.get(value) : undefined;
  const result = bounds === undefined ? parse() : parseLarge(parse, bounds, call);
  if ("answer" in result) return result.answer;
  const { error, issue } = result;
  if (error) throw embeddedFailure(error, call, dialect);
  // One issue suffices, since each invalid value of a list has one.
  throw malformedAnswer(call, "it has an unexpected structure", issue && new z.ZodError([issue]));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function parseLarge<Result>(parse: () => Result, { validationMs }: Bounds, call: UpstreamCall): Result {
  try {
    return runWithin(validationMs, parse);
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
    throw malformedAnswer(call, "its JSON takes too long to validate");
  }
}

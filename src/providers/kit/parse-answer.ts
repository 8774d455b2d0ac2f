import { z } from "zod";
import { excessOf, type JsonBounds, JsonCounter, mostLevels, parseBounds } from "../../chat/validation/json-bounds.ts";
import { runWithin, TookTooLong } from "../../run-within.ts";
import { malformedAnswer, unusableAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type ErrorDialect, embeddedFailure } from "./errors.ts";

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Characters from which JSON is large: to parse and validate it can block all other calls. */
const largeLength = 64 * 1024;

/**
 * Bounds of large JSON with log probabilities, the only reason why real responses have many values: 8,500 tokens with
 * 20 alternatives each have 13 MB, and 2 million values of which most are numbers (cost 540,000).
 */
const logprobsBounds: JsonBounds = { values: 2_500_000, cost: 700_000 };

/** Maximum time in ms to parse and validate large JSON. An invalid value of a list takes 5 microseconds to validate. */
const longestMs = 150;

/** Time that is always left to validate: a valid value of 13 MB takes 20 ms. */
const shortestMs = 100;

/** Time that is left to validate the values that were large JSON, in ms. */
const validationMs = new WeakMap<object, number>();

/** Parses JSON from a provider's response. Throws PROVIDER_FAULT if it is invalid, or has too many values or levels. */
export function parseJson(json: string, call: UpstreamCall, reviver?: Reviver, bounds?: JsonBounds): unknown {
  const begin = json.length > largeLength ? cpuMs() : undefined;
  const excess = begin === undefined ? tooManyLevels(json) : new JsonCounter(bounds ?? boundsOf(json)).excessOf(json);
  if (excess !== undefined) throw unusableAnswer(call, `its JSON has too many ${excess}`);
  if (begin === undefined) return parse(json, call, reviver);
  const value = parse(json, call, reviver);
  if (isObject(value)) validationMs.set(value, Math.max(shortestMs, Math.round(longestMs - (cpuMs() - begin))));
  return value;
}

function parse(json: string, call: UpstreamCall, reviver: Reviver | undefined): unknown {
  try {
    return JSON.parse(json, reviver);
  } catch {
    // Omit the SyntaxError as the cause: it quotes the response, which must not appear in the log.
    throw malformedAnswer(call, "it is not JSON");
  }
}

/** Levels are bounded in JSON of any size. Each has a bracket of its own, and most JSON has few of them. */
function tooManyLevels(json: string): "levels" | undefined {
  if (count(json, "{") + count(json, "[") <= mostLevels) return undefined;
  return excessOf(json, Number.POSITIVE_INFINITY) === undefined ? undefined : "levels";
}

/** Counts how often a text has a character, up to one more than the maximum number of levels. */
function count(text: string, character: string): number {
  let found = 0;
  let at = text.indexOf(character);
  for (; at >= 0 && found <= mostLevels; at = text.indexOf(character, at + 1)) found++;
  return found;
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const boundsOf = (json: string): JsonBounds => (/log_?probs?/i.test(json) ? logprobsBounds : parseBounds);

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
  const validate = () => {
    const parsed = schema.safeParse(value);
    if (parsed.success && !holdsError?.(parsed.data)) return { answer: parsed.data };
    return { error: dialect.read(value), issue: parsed.error?.issues[0] };
  };
  const timeoutMs = isObject(value) ? validationMs.get(value) : undefined;
  const result = timeoutMs === undefined ? validate() : validateWithin(timeoutMs, validate, call);
  if ("answer" in result) return result.answer;
  const { error, issue } = result;
  if (error) throw embeddedFailure(error, call, dialect);
  // One issue suffices, since each invalid value of a list has one.
  throw malformedAnswer(call, "it has an unexpected structure", issue && new z.ZodError([issue]));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function validateWithin<Result>(timeoutMs: number, validate: () => Result, call: UpstreamCall): Result {
  try {
    return runWithin(timeoutMs, validate);
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
    throw unusableAnswer(call, "its JSON takes too long to validate");
  }
}

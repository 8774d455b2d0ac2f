import type { z } from "zod";
import { malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type ErrorDialect, embeddedFailure } from "./errors.ts";

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Parses JSON that a provider sent in an answer. */
export function parseJson(json: string, call: UpstreamCall, reviver?: Reviver): unknown {
  try {
    return JSON.parse(json, reviver);
  } catch {
    // Without the cause: a SyntaxError quotes the text.
    throw malformedAnswer(call, "it is not JSON");
  }
}

/**
 * Checks a JSON value of an answer. Throws the error that it holds where it has another form, or where `holdsError` finds
 * that it has one.
 */
export function parseAnswer<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  call: UpstreamCall,
  dialect: ErrorDialect,
  holdsError?: (answer: z.infer<Schema>) => boolean,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success && !holdsError?.(parsed.data)) return parsed.data;
  const error = dialect.read(value);
  throw error
    ? embeddedFailure(error, call, dialect)
    : malformedAnswer(call, "it has an unexpected form", parsed.error);
}

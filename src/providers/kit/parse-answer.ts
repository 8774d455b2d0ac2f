import type { z } from "zod";
import { malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type ErrorDialect, embeddedFailure } from "./errors.ts";

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Parses JSON from a provider's response. Throws PROVIDER_FAULT if it is invalid. */
export function parseJson(json: string, call: UpstreamCall, reviver?: Reviver): unknown {
  try {
    return JSON.parse(json, reviver);
  } catch {
    // Omit the cause, since a SyntaxError quotes the text.
    throw malformedAnswer(call, "it is not JSON");
  }
}

/**
 * Validates a JSON value from a response. If it does not match the schema, or if `holdsError` returns true, throws the
 * provider's error that it contains; PROVIDER_FAULT if it contains none.
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
    : malformedAnswer(call, "it has an unexpected structure", parsed.error);
}

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
    // Omit the SyntaxError as the cause: it quotes the response, which must not appear in the log.
    throw malformedAnswer(call, "it is not JSON");
  }
}

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
  const parsed = schema.safeParse(value);
  if (parsed.success && !holdsError?.(parsed.data)) return parsed.data;
  const error = dialect.read(value);
  throw error
    ? embeddedFailure(error, call, dialect)
    : malformedAnswer(call, "it has an unexpected structure", parsed.error);
}

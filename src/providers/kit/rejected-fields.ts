import { z } from "zod";
import { parseBounded } from "../../chat/validation/json-bounds.ts";
import type { RejectedField } from "../../errors.ts";

/** Place of an error in a request (FastAPI): `body`, `query` or similar, then the path of the field. */
const place = z
  .array(z.union([z.string(), z.number()]))
  .optional()
  .catch(undefined);

/** FastAPI's list of what is wrong with a request. */
export const details = z
  .array(z.object({ msg: z.string(), loc: place, type: z.string().optional().catch(undefined) }))
  .min(1);

type Details = z.infer<typeof details>;

/** Wraps FastAPI's list, as Mistral's API does in `message`. */
const wrapped = z.union([details, z.object({ detail: details }).transform(({ detail }) => detail)]);

/** Text of an error: a sentence, or FastAPI's list in one of the forms of Mistral's API, also as JSON text. */
export const errorText = z
  .unknown()
  .transform((value): string | Details | undefined => {
    const list = wrapped.safeParse(typeof value === "string" ? parsed(value) : value);
    if (list.success) return list.data;
    return typeof value === "string" ? value : undefined;
  })
  .optional();

export type ErrorText = NonNullable<z.infer<typeof errorText>>;

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseBounded(text);
  } catch {
    return undefined;
  }
}

/** Returns the first sentence of an error. */
export function firstText(text: ErrorText | undefined): string | undefined {
  return Array.isArray(text) ? text[0]?.msg : text;
}

/** Returns the fields that FastAPI's list names. A sentence names none. */
export function rejectedIn(text: ErrorText | undefined): readonly RejectedField[] {
  if (!Array.isArray(text)) return [];
  return text.flatMap(({ loc = [], type }) => {
    const [first = "", ...rest] = loc;
    const path = first === "body" ? rest : loc;
    return path.length === 0 || otherPlaces.has(first) ? [] : [rejectedField(path.join("."), type)];
  });
}

/** Places of errors outside the body. */
const otherPlaces: ReadonlySet<string | number> = new Set(["query", "header", "path", "cookie"]);

/**
 * Codes that mean that an API does not know a field: of OpenAI, and of FastAPI with either version of pydantic.
 * https://docs.pydantic.dev/latest/errors/validation_errors/#extra_forbidden
 */
const unknownCodes: ReadonlySet<string> = new Set([
  ...["unsupported_parameter", "unknown_parameter"],
  ...["extra_forbidden", "value_error.extra"],
]);

/** Describes a field that a provider names as the cause of an error. */
export function rejectedField(path: string, code: string | number = ""): RejectedField {
  const text = String(code);
  return { path, code: text, isUnknown: unknownCodes.has(text) };
}

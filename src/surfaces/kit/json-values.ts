import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { z } from "zod";
import { invalidRequest } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { exactIntegers } from "../kit/encode-json.ts";

export type JsonRecord = Readonly<Record<string, unknown>>;

/** A JSON object. The schema does not copy it, since a copy could reorder its keys. */
export const jsonRecord = z.custom<JsonRecord>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

/** Formats a body value as JSON text. A bigint keeps all its digits. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, exactIntegers);
}

/**
 * Converts a JSON object of a body to a Struct, which has only doubles. Throws INVALID_REQUEST for a number that is
 * none.
 *
 * @param path path of the object in the body
 */
export function toStruct(record: Readonly<Record<string, unknown>>, path: FieldPath): JsonObject {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, toStructValue(value, [...path, name])]),
  );
}

function toStructValue(value: unknown, path: FieldPath): JsonValue {
  if (typeof value === "bigint" || typeof value === "number") return toDouble(value, path);
  if (Array.isArray(value)) return value.map((entry, index) => toStructValue(entry, [...path, index]));
  if (typeof value === "object" && value !== null) return toStruct({ ...value }, path);
  return typeof value === "string" || typeof value === "boolean" ? value : null;
}

function toDouble(value: bigint | number, field: FieldPath): number {
  const double = Number(value);
  if (Number.isFinite(double) && (typeof value === "number" || BigInt(double) === value)) return double;
  const description = "is a number that cannot be passed on exactly; write one with at most 15 digits, or a string";
  throw invalidRequest([{ root: "body", field, description }]);
}

/**
 * Parses JSON text for a response. Integers that a JavaScript number would round keep their digits. Undefined: the text
 * is not JSON.
 */
export function fromJsonText(text: string): unknown {
  try {
    return /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function exactInteger(_key: string, value: unknown, { source = "" }: { readonly source?: string } = {}): unknown {
  const isRounded = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
  return isRounded ? JSON.rawJSON(source) : value;
}

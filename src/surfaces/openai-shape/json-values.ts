import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { z } from "zod";

export type JsonRecord = Readonly<Record<string, unknown>>;

/** A JSON object. The schema does not copy it, since a copy could reorder its keys. */
export const jsonRecord = z.custom<JsonRecord>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

/** Formats a body value as JSON text. A bigint keeps all its digits. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === "bigint" ? JSON.rawJSON(String(entry)) : entry,
  );
}

/** Converts a JSON object to a Struct, which has only doubles: a bigint is rounded. */
export function toStruct(record: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, toStructValue(value)]));
}

function toStructValue(value: unknown): JsonValue {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toStructValue);
  if (typeof value === "object" && value !== null) return toStruct({ ...value });
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

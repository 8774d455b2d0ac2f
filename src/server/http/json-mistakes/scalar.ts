import { type DescEnum, type DescMessage, fromJson, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { halfProblem } from "../../../chat/validation/halves.ts";

/** Converts a JSON value as protobuf does. Returns what is wrong with it, and undefined if nothing is. */
export function scalarProblem(scalar: ScalarType, value: unknown): string | undefined {
  switch (scalar) {
    case ScalarType.STRING:
      if (typeof value !== "string") return "must be a string";
      return value.isWellFormed() ? undefined : halfProblem;
    case ScalarType.BOOL:
      return typeof value === "boolean" ? undefined : "must be true or false";
    case ScalarType.BYTES:
      return typeof value === "string" && isBase64(value) ? undefined : "must be base64 in a string";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return isNumber(value) ? undefined : "must be a number";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return longProblem(value, -(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return longProblem(value, 0n, 2n ** 64n - 1n);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return integerProblem(value, 0, 2 ** 32 - 1);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return integerProblem(value, -(2 ** 31), 2 ** 31 - 1);
    default:
      return scalar satisfies never;
  }
}

function isBase64(text: string): boolean {
  try {
    base64Decode(text);
    return true;
  } catch {
    return false;
  }
}

/** Protobuf also accepts numbers in strings. */
function isNumber(value: unknown): boolean {
  const isText = typeof value === "string" && value.trim() === value && value !== "";
  if (isText) return Number.isFinite(Number(value)) || ["NaN", "Infinity", "-Infinity"].includes(value);
  return typeof value === "number" || typeof value === "bigint";
}

function integerProblem(value: unknown, least: number, greatest: number): string | undefined {
  const number = isNumber(value) ? Number(value) : Number.NaN;
  const isInRange = Number.isInteger(number) && number >= least && number <= greatest;
  return isInRange ? undefined : `must be an integer from ${least} to ${greatest}`;
}

/** Problem of a 64-bit integer. The parser returns a bigint for a JSON number that a double does not hold exactly. */
function longProblem(value: unknown, least: bigint, greatest: bigint): string | undefined {
  if (typeof value === "bigint") {
    return "must be a string, because a JSON number loses precision above 2^53; put the digits in quotes";
  }
  const isInteger = typeof value === "string" ? /^-?\d{1,20}$/.test(value) : Number.isSafeInteger(value);
  const number = isInteger ? BigInt(value as string | number) : undefined;
  if (number !== undefined && number >= least && number <= greatest) return undefined;
  return `must be an integer from ${least} to ${greatest}, in a string if it is above 2^53`;
}

/** Returns what is wrong with an enum value. Protobuf accepts names and numbers. */
export function enumProblem({ name, values }: DescEnum, value: unknown): string | undefined {
  if (typeof value === "number") return integerProblem(value, -(2 ** 31), 2 ** 31 - 1);
  const names = values.filter(({ number }) => number !== 0).map((known) => known.name);
  const all = names.map((known) => JSON.stringify(known)).join(", ");
  if (typeof value !== "string") return `must be one of ${all}`;
  if (values.some((known) => known.name === value)) return undefined;
  const wanted = value.toUpperCase().replaceAll("-", "_");
  const meant = names.find((known) => known === wanted || known.endsWith(`_${wanted}`));
  return `is not ${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}; write ${meant === undefined ? `one of ${all}` : JSON.stringify(meant)}`;
}

const forms: Readonly<Record<string, string>> = {
  "google.protobuf.Duration": 'must be a number of seconds in a string, such as "300s"',
  "google.protobuf.Timestamp": 'must be a time in RFC 3339, such as "2026-01-31T12:00:00Z"',
};

/** Returns what is wrong with a message of google.protobuf, which has a JSON form of its own. */
export function wellKnownProblem(message: DescMessage, value: unknown): string | undefined {
  // Any JSON object is a valid Struct. Converting it would fail for the bigints of the parser.
  if (message.typeName === "google.protobuf.Struct") {
    return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "must be an object";
  }
  try {
    fromJson(message, value as JsonValue);
    return undefined;
  } catch {
    return forms[message.typeName] ?? `is not a valid ${message.typeName}`;
  }
}

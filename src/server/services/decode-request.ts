import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { mostLevels } from "../../chat/validation/json-bounds.ts";
import { wireProblemOf } from "../../chat/validation/wire-bounds.ts";
import { GatewayError } from "../../errors.ts";
import { decodeUsual } from "../../wire/codec.ts";

/** Options with which all listeners decode requests. Nothing reads unknown fields. */
export const decodeOptions = { readUnknownFields: false, recursionLimit: mostLevels } as const;

/** Decodes a request. Throws INVALID_REQUEST or REQUEST_TOO_LARGE. */
export function decodeRequest<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  maxValues: number,
): MessageShape<Schema> {
  // No value takes less than a byte. What `decodeUsual` accepts has no other problem.
  const isShort = bytes.length < maxValues;
  if (!isShort) requireBounds(schema, bytes, maxValues);
  const usual = decodeUsual(schema, bytes, mostLevels);
  if (usual !== undefined) return usual;
  if (isShort) requireBounds(schema, bytes, maxValues);
  try {
    return fromBinary(schema, bytes, decodeOptions);
  } catch (cause) {
    throw malformed(schema, cause);
  }
}

/**
 * Throws INVALID_REQUEST if an encoded request is malformed or nests too deeply, and REQUEST_TOO_LARGE if it has too
 * many values. The bounds are those of JSON.
 */
export function requireBounds(schema: DescMessage, bytes: Uint8Array, maxValues: number): void {
  const problem = wireProblemOf(schema, bytes, maxValues);
  switch (problem) {
    case undefined:
      break;
    case "malformed":
      throw malformed(schema);
    case "levels":
      throw new GatewayError("INVALID_REQUEST", `the request must not nest more than ${mostLevels} levels deep`);
    case "values":
      throw new GatewayError(
        "REQUEST_TOO_LARGE",
        `the request has more than ${maxValues} values, the maximum of limits.max_values`,
      );
    default:
      problem satisfies never;
  }
}

function malformed({ typeName }: DescMessage, cause?: unknown): GatewayError {
  return new GatewayError("INVALID_REQUEST", `the request is not a valid ${typeName}`, { cause });
}

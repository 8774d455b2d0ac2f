import { type DescMessage, ScalarType } from "@bufbuild/protobuf";

/**
 * Returns a pattern for JSON numbers of 16 or more digits in 64-bit fields of a message, or of messages inside it. Such
 * a number may be above 2^53, and the decoder would round it silently. Undefined if there is no 64-bit field.
 */
export function longNumbers(schema: DescMessage): RegExp | undefined {
  const names = new Set<string>();
  collectLongFields(schema, names, new Set());
  return names.size === 0 ? undefined : new RegExp(`"(?:${[...names].join("|")})"\\s*:\\s*-?\\d{16}`);
}

const longTypes: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

function collectLongFields(message: DescMessage, names: Set<string>, visited: Set<string>): void {
  // The messages of google.protobuf have JSON forms of their own, without numbers.
  if (visited.has(message.typeName) || message.typeName.startsWith("google.protobuf.")) return;
  visited.add(message.typeName);
  for (const field of message.fields) {
    if (longTypes.has(field.scalar)) names.add(field.name).add(field.jsonName);
    if (field.message) collectLongFields(field.message, names, visited);
  }
}

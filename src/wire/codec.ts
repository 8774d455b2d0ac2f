import { type BinaryReadOptions, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { codecOf } from "./compile.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/**
 * Encoding and decoding as `toBinary` and `fromBinary` of protobuf-es do it, to the same bytes and messages. Code that
 * is compiled for the message does what is usual. For everything else, and for all errors, it leaves the whole message
 * to protobuf-es.
 */

const shared = new WireWriter();

/** Encodes a message like `toBinary`. */
export function encode<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Buffer {
  shared.truncate(0);
  encodeTo(shared, schema, message);
  return shared.take();
}

/** Appends an encoded message. */
export function encodeTo<Schema extends DescMessage>(
  writer: WireWriter,
  schema: Schema,
  message: MessageShape<Schema>,
): void {
  const start = writer.length;
  try {
    const codec = codecOf(schema);
    if (codec !== undefined) {
      codec.encode(writer, message);
      return;
    }
  } catch {
    writer.truncate(start);
  }
  writer.append(toBinary(schema, message));
}

/** Decodes a message like `fromBinary`. */
export function decode<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  options?: Partial<BinaryReadOptions>,
): MessageShape<Schema> {
  return decodeUsual(schema, bytes, options?.recursionLimit) ?? fromBinary(schema, bytes, options);
}

/**
 * Decodes a message whose bytes are those of an ordinary encoder: without unknown fields, and with each single message
 * once. Undefined: they are not, or nest more than `mostLevels` deep.
 */
export function decodeUsual<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  mostLevels?: number,
): MessageShape<Schema> | undefined {
  try {
    const message = codecOf(schema)?.decode(new WireReader(bytes, mostLevels), bytes.length);
    // The cast is safe: the codec makes messages of the schema.
    return message as MessageShape<Schema> | undefined;
  } catch {
    return undefined;
  }
}

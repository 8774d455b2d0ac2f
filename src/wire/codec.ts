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
  try {
    const message = codecOf(schema)?.decode(new WireReader(bytes, options?.recursionLimit), bytes.length);
    // The cast is safe: the codec makes messages of the schema.
    if (message !== undefined) return message as MessageShape<Schema>;
  } catch {
    // `fromBinary` decides whether the bytes are valid.
  }
  return fromBinary(schema, bytes, options);
}

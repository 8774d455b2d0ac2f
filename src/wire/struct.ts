import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/**
 * Tags of google.protobuf.Struct, Value and ListValue, whose fields are JSON in messages.
 * https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/struct.proto
 */
const tag = {
  entry: (1 << 3) | 2,
  key: (1 << 3) | 2,
  value: (2 << 3) | 2,
  null: 1 << 3,
  number: (2 << 3) | 1,
  string: (3 << 3) | 2,
  bool: 4 << 3,
  struct: (5 << 3) | 2,
  list: (6 << 3) | 2,
  item: (1 << 3) | 2,
} as const;

/** Writes the fields of the Struct of an object. */
export function writeStruct(writer: WireWriter, object: JsonObject): void {
  if (typeof object !== "object" || Array.isArray(object)) throw new TypeError("a Struct must be an object");
  for (const key of Object.keys(object)) {
    const entry = writer.open(tag.entry);
    writer.tag(tag.key);
    writer.text(key);
    writeValue(writer, tag.value, object[key] as JsonValue);
    writer.close(entry);
  }
}

function writeValue(writer: WireWriter, tagOfValue: number, json: JsonValue): void {
  const value = writer.open(tagOfValue);
  switch (typeof json) {
    case "number":
      writer.tag(tag.number);
      writer.double(json);
      break;
    case "string":
      writer.tag(tag.string);
      writer.text(json);
      break;
    case "boolean":
      writer.tag(tag.bool);
      writer.bool(json);
      break;
    case "object":
      writeObject(writer, json);
      break;
  }
  writer.close(value);
}

function writeObject(writer: WireWriter, json: JsonObject | JsonValue[] | null): void {
  if (json === null) {
    writer.tag(tag.null);
    writer.int32(0);
    return;
  }
  const content = writer.open(Array.isArray(json) ? tag.list : tag.struct);
  if (Array.isArray(json)) for (const item of json) writeValue(writer, tag.item, item);
  else writeStruct(writer, json);
  writer.close(content);
}

/** Reads a Struct that ends at `end`. */
export function readStruct(reader: WireReader, end: number): JsonObject {
  reader.enter();
  const object: JsonObject = {};
  while (reader.at < end) {
    if (reader.uint32() !== tag.entry) reader.unknown();
    const entryEnd = reader.end();
    let key = "";
    let value: JsonValue | undefined;
    while (reader.at < entryEnd) {
      const read = reader.uint32();
      if (read === tag.key) key = reader.text();
      else if (read === tag.value && value === undefined) value = readValue(reader, reader.end());
      else reader.unknown();
    }
    setEntry(reader, object, key, value ?? null);
    if (reader.at !== entryEnd) reader.unknown();
  }
  reader.leave(end);
  return object;
}

/** Sets an entry of a map. */
export function setEntry(reader: WireReader, map: Record<string, unknown>, key: string | number, value: unknown): void {
  // Only the library knows how to set this name.
  if (key === "__proto__") reader.unknown();
  map[key] = value;
}

function readValue(reader: WireReader, end: number): JsonValue {
  reader.enter();
  const json = reader.at < end ? readKind(reader) : null;
  reader.leave(end);
  return json;
}

function readKind(reader: WireReader): JsonValue {
  switch (reader.uint32()) {
    case tag.null:
      reader.int32();
      return null;
    case tag.number:
      return reader.double();
    case tag.string:
      return reader.text();
    case tag.bool:
      return reader.bool();
    case tag.struct:
      return readStruct(reader, reader.end());
    case tag.list:
      return readList(reader, reader.end());
    default:
      return reader.unknown();
  }
}

function readList(reader: WireReader, end: number): JsonValue[] {
  reader.enter();
  const items: JsonValue[] = [];
  while (reader.at < end) {
    if (reader.uint32() !== tag.item) reader.unknown();
    items.push(readValue(reader, reader.end()));
  }
  reader.leave(end);
  return items;
}

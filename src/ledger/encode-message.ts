import { type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import type { WireWriter } from "./wire-writer.ts";

type Fields = Readonly<Record<string, unknown>>;
type WriteFields = (writer: WireWriter, message: Fields) => void;
type WriteValue = (writer: WireWriter, value: unknown) => void;

const wireTypes = { varint: 0, delimited: 2 } as const;

/**
 * Compiles an encoder for a message that writes the same bytes as `toBinary`, in a fraction of the time: each call is
 * recorded twice, and `toBinary` would take as long as all other work for the record. It knows only the kinds of fields
 * that records have: strings, booleans, integers, enums, messages, lists of messages and maps. Throws for any other.
 */
export function compileEncoder<Desc extends DescMessage>(
  schema: Desc,
): (writer: WireWriter, message: MessageShape<Desc>) => void {
  const write = compileFields(schema, new Map());
  return (writer, message) => write(writer, message as unknown as Fields);
}

function compileFields(schema: DescMessage, compiled: Map<DescMessage, WriteFields>): WriteFields {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const fields = [...schema.fields]
    .sort((one, other) => one.number - other.number)
    .map((field) => ({ name: field.localName, write: compileField(field, compiled) }));
  const write: WriteFields = (writer, message) => {
    for (const field of fields) {
      const value = message[field.name];
      if (value !== undefined) field.write(writer, value);
    }
  };
  compiled.set(schema, write);
  return write;
}

function compileField(field: DescField, compiled: Map<DescMessage, WriteFields>): WriteValue {
  if (field.oneof !== undefined) throw unsupported(field);
  switch (field.fieldKind) {
    case "scalar":
    case "enum": {
      const scalar = field.fieldKind === "enum" ? ScalarType.INT32 : field.scalar;
      const write = scalarWriter(field, scalar, field.number);
      return field.presence === Presence.IMPLICIT ? skipZero(write) : write;
    }
    case "message":
      return messageWriter(field.number, field.message, compiled);
    case "list": {
      // Lists of numbers are packed.
      if (field.listKind !== "message" && field.scalar !== ScalarType.STRING) throw unsupported(field);
      const write =
        field.listKind === "message"
          ? messageWriter(field.number, field.message, compiled)
          : scalarWriter(field, field.scalar, field.number);
      return (writer, values) => {
        for (const value of values as readonly unknown[]) write(writer, value);
      };
    }
    case "map": {
      const tag = tagOf(field.number, "delimited");
      const writeKey = scalarWriter(field, field.mapKey, 1);
      const writeValue = scalarWriter(field, field.mapKind === "scalar" ? field.scalar : undefined, 2);
      return (writer, map) => {
        for (const [key, value] of Object.entries(map as Fields)) {
          writer.varint(tag);
          writer.delimited(() => {
            writeKey(writer, key);
            writeValue(writer, value);
          });
        }
      };
    }
    default:
      return field satisfies never;
  }
}

function messageWriter(number: number, schema: DescMessage, compiled: Map<DescMessage, WriteFields>): WriteValue {
  const tag = tagOf(number, "delimited");
  const write = compileFields(schema, compiled);
  return (writer, value) => {
    writer.varint(tag);
    writer.delimited(() => write(writer, value as Fields));
  };
}

function scalarWriter(field: DescField, scalar: ScalarType | undefined, number: number): WriteValue {
  switch (scalar) {
    case ScalarType.STRING: {
      const tag = tagOf(number, "delimited");
      return (writer, value) => {
        writer.varint(tag);
        writer.string(value as string);
      };
    }
    case ScalarType.BOOL: {
      const tag = tagOf(number, "varint");
      return (writer, value) => {
        writer.varint(tag);
        writer.varint(value === true ? 1 : 0);
      };
    }
    case ScalarType.INT32:
    case ScalarType.INT64: {
      const tag = tagOf(number, "varint");
      return (writer, value) => {
        writer.varint(tag);
        writer.integer(value as number | bigint);
      };
    }
    default:
      throw unsupported(field);
  }
}

/** Omits the zero value of a field without presence, as `toBinary` does. */
function skipZero(write: WriteValue): WriteValue {
  return (writer, value) => {
    if (value !== 0 && value !== "" && value !== 0n && value !== false) write(writer, value);
  };
}

function tagOf(number: number, type: keyof typeof wireTypes): number {
  return number * 8 + wireTypes[type];
}

function unsupported({ parent, name }: DescField): Error {
  return new Error(`encode-message.ts does not support the kind of ${parent.typeName}.${name}; add it there`);
}

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { mostLevels } from "./json-bounds.ts";

/**
 * What is wrong with the bytes of a message. `malformed`: the bytes do not follow the wire format of the schema.
 * `levels` and `values`: they exceed the bounds of JSON.
 */
type WireProblem = "malformed" | "levels" | "values";

/**
 * Returns what is wrong with an encoded message, or undefined. Only counts, in one pass: it creates no object for a
 * value, so that a small compressed body cannot take much memory. The decoder neither counts values nor compares wire
 * types and lengths with the schema. So this function rejects all bytes that the decoder could read in another way.
 *
 * Each field counts as one value, also an unknown one, and so does each number of a packed list. Key and value of a map
 * entry, and the content of a `google.protobuf.Value`, count together with the entry and the Value, as in JSON.
 */
export function wireProblemOf(schema: DescMessage, bytes: Uint8Array, maxValues: number): WireProblem | undefined {
  const scan = new Scan(bytes, maxValues);
  scan.message(layoutOf(schema), bytes.length, 1, noGroup);
  return scan.problem;
}

/** What the scan needs to know of a message or map entry. */
interface Layout {
  /** By field number. */
  readonly fields: (Field | undefined)[];
  /** Number of fields that count together with the message. */
  readonly uncounted: number;
  /** 0 for a map entry, which the decoder does not count as a level, else 1. */
  readonly levels: 0 | 1;
}

interface Field {
  readonly wireType: WireType;
  readonly packable: boolean;
  /** Undefined for a scalar. */
  readonly content: Layout | undefined;
}

const layouts = new WeakMap<DescMessage, Layout>();

function layoutOf(schema: DescMessage): Layout {
  let layout = layouts.get(schema);
  if (layout === undefined) {
    layout = { fields: [], uncounted: schema.typeName === "google.protobuf.Value" ? 1 : 0, levels: 1 };
    // Before its fields, because messages contain themselves.
    layouts.set(schema, layout);
    for (const field of schema.fields) layout.fields[field.number] = fieldOf(field);
  }
  return layout;
}

function fieldOf(field: DescField): Field {
  switch (field.fieldKind) {
    case "message":
      return messageField(layoutOf(field.message));
    case "enum":
      return scalarField(ScalarType.INT32);
    case "scalar":
      return scalarField(field.scalar);
    case "list":
      if (field.listKind === "message") return messageField(layoutOf(field.message));
      return scalarField(field.listKind === "enum" ? ScalarType.INT32 : field.scalar, true);
    case "map": {
      const value =
        field.mapKind === "message"
          ? messageField(layoutOf(field.message))
          : scalarField(field.mapKind === "enum" ? ScalarType.INT32 : field.scalar);
      return messageField({ fields: [undefined, scalarField(field.mapKey), value], uncounted: 2, levels: 0 });
    }
    default:
      return field satisfies never;
  }
}

function messageField(content: Layout): Field {
  return { wireType: WireType.LengthDelimited, packable: false, content };
}

function scalarField(type: ScalarType, isList = false): Field {
  const wireType = wireTypes[type] ?? WireType.Varint;
  return { wireType, packable: isList && wireType !== WireType.LengthDelimited, content: undefined };
}

/** Scalar types that are not varints. */
const wireTypes: Readonly<Partial<Record<ScalarType, WireType>>> = {
  [ScalarType.STRING]: WireType.LengthDelimited,
  [ScalarType.BYTES]: WireType.LengthDelimited,
  [ScalarType.DOUBLE]: WireType.Bit64,
  [ScalarType.FIXED64]: WireType.Bit64,
  [ScalarType.SFIXED64]: WireType.Bit64,
  [ScalarType.FLOAT]: WireType.Bit32,
  [ScalarType.FIXED32]: WireType.Bit32,
  [ScalarType.SFIXED32]: WireType.Bit32,
};

/** Layout of the fields in an unknown group: all are unknown. */
const unknownGroup: Layout = { fields: [], uncounted: 0, levels: 1 };

/** Field number of a message that is not a group. */
const noGroup = 0;

const longestVarint = 10;
const longestTag = 5;

/** One pass over the bytes of a message. */
class Scan {
  problem: WireProblem | undefined;
  readonly #bytes: Uint8Array;
  readonly #maxValues: number;
  #at = 0;
  // The message itself.
  #values = 1;

  constructor(bytes: Uint8Array, maxValues: number) {
    this.#bytes = bytes;
    this.#maxValues = maxValues;
  }

  /** Reads a message that ends at `end`, or the group `group`, which ends at its end tag. */
  message(layout: Layout, end: number, level: number, group: number): void {
    if (level > mostLevels) this.#fail("levels");
    let uncounted = layout.uncounted;
    while (this.#at < end) {
      const tag = this.#varint(end, longestTag);
      const number = Math.floor(tag / 8);
      const wireType = tag % 8;
      if (number === 0 || tag > 0xffffffff) this.#fail("malformed");
      if (wireType === WireType.EndGroup && number === group) return;
      if (uncounted > 0) uncounted--;
      else this.#count(1);
      this.#field(layout.fields[number], number, wireType, end, level);
    }
    if (group !== noGroup) this.#fail("malformed");
  }

  #field(field: Field | undefined, number: number, wireType: number, end: number, level: number): void {
    const isPacked = field?.packable === true && wireType === WireType.LengthDelimited;
    if (field !== undefined && wireType !== field.wireType && !isPacked) this.#fail("malformed");
    switch (wireType) {
      case WireType.Varint:
        this.#varint(end, longestVarint);
        break;
      case WireType.Bit64:
        this.#skip(8, end);
        break;
      case WireType.Bit32:
        this.#skip(4, end);
        break;
      case WireType.StartGroup:
        this.message(unknownGroup, end, level + 1, number);
        break;
      case WireType.LengthDelimited: {
        const length = this.#varint(end, longestVarint);
        const fieldEnd = this.#at + length;
        if (fieldEnd > end) this.#fail("malformed");
        else if (field?.content) this.message(field.content, fieldEnd, level + field.content.levels, noGroup);
        else if (isPacked) this.#packed(field.wireType, fieldEnd);
        else this.#at = fieldEnd;
        break;
      }
      default:
        this.#fail("malformed");
    }
  }

  /** Counts the numbers of a packed list. The first one was counted with the field. */
  #packed(wireType: WireType, end: number): void {
    let numbers = 0;
    for (; this.#at < end; numbers++) {
      if (wireType === WireType.Varint) this.#varint(end, longestVarint);
      else this.#skip(wireType === WireType.Bit64 ? 8 : 4, end);
    }
    if (numbers > 1) this.#count(numbers - 1);
  }

  #varint(end: number, longest: number): number {
    let value = 0;
    let factor = 1;
    const last = Math.min(end, this.#at + longest);
    while (this.#at < last) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (byte < 0x80) return value + byte * factor;
      value += (byte - 0x80) * factor;
      factor *= 0x80;
    }
    this.#fail("malformed");
    return 0;
  }

  #skip(length: number, end: number): void {
    this.#at += length;
    if (this.#at > end) this.#fail("malformed");
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > this.#maxValues) this.#fail("values");
  }

  /** Ends every loop of the scan. The first problem remains. */
  #fail(problem: WireProblem): void {
    this.problem ??= problem;
    this.#at = Number.POSITIVE_INFINITY;
  }
}

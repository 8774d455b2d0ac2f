import {
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excessOf, mostLevels } from "../../../src/chat/validation/json-bounds.ts";
import { wireProblemOf as wireProblemBeyond } from "../../../src/chat/validation/wire-bounds.ts";
import { RoutingService } from "../../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../../../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService, CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../../src/gen/dragoman/v1/model_service_pb.js";
import { ExtensionNumberResponseSchema } from "../../../src/gen/grpc/reflection/v1/reflection_pb.js";

const maxValues = 250_000;
const wireProblemOf = (schema: DescMessage, bytes: Uint8Array) => wireProblemBeyond(schema, bytes, maxValues);

/** Encoded messages of a schema, with unknown fields and groups. */
function messageBytes(schema: DescMessage, depth = 0): fc.Arbitrary<Uint8Array> {
  const unknown = fc.constantFrom(
    [0xf8, 0x7f, 0x96, 0x01],
    [0xfa, 0x7f, 0x01, 0x61],
    [0xfb, 0x7f, 0x78, 0, 0xfc, 0x7f],
  );
  const known = schema.fields.filter((field) => depth < 4 || field.message === undefined);
  const field = known.length === 0 ? [] : [fc.constantFrom(...known).chain((one) => fieldBytes(one, depth))];
  const fields = fc.array(
    fc.oneof(
      unknown.map((bytes) => Uint8Array.from(bytes)),
      ...field,
      ...field,
      ...field,
    ),
    {
      maxLength: 5,
    },
  );
  return fields.map((all) => Buffer.concat(all));
}

function fieldBytes(field: DescField, depth: number): fc.Arbitrary<Uint8Array> {
  const { number } = field;
  const value =
    field.message === undefined
      ? scalarBytes(number, valueType(field))
      : nested(number, messageBytes(field.message, depth + 1));
  if (field.fieldKind !== "map") return value;
  const content =
    field.message === undefined ? scalarBytes(2, valueType(field)) : nested(2, messageBytes(field.message, depth + 1));
  const part = fc.oneof(scalarBytes(1, field.mapKey), content);
  return nested(
    number,
    fc.array(part, { maxLength: 4 }).map((parts) => Buffer.concat(parts)),
  );
}

function valueType(field: DescField): ScalarType {
  return field.scalar ?? ScalarType.INT32;
}

function nested(number: number, content: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return content.map((bytes) => new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish());
}

function scalarBytes(number: number, type: ScalarType): fc.Arbitrary<Uint8Array> {
  const writer = (wireType: WireType) => new BinaryWriter().tag(number, wireType);
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return fc.string().map((text) => writer(WireType.LengthDelimited).string(text).finish());
    case ScalarType.DOUBLE:
      return fc.double().map((value) => writer(WireType.Bit64).double(value).finish());
    case ScalarType.FLOAT:
      return fc.float().map((value) => writer(WireType.Bit32).float(value).finish());
    default:
      return fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((value) => writer(WireType.Varint).int64(value).finish());
  }
}

const services = [ChatService, ModelService, RoutingService, UsageService];
const inputs: readonly DescMessage[] = services.flatMap(({ methods }) => methods.map(({ input }) => input));

/** Appends empty unknown fields until the scan rejects the message, and returns how many values were missing. */
function valuesOf(schema: DescMessage, bytes: Uint8Array): number {
  let [fewest, most] = [0, maxValues];
  while (fewest < most) {
    const middle = Math.ceil((fewest + most) / 2);
    const unknown = Buffer.alloc(2 * middle, Buffer.from([0x78, 0]));
    if (wireProblemOf(schema, Buffer.concat([bytes, unknown])) === undefined) fewest = middle;
    else most = middle - 1;
  }
  return maxValues - fewest;
}

/** Counts values as `wireProblemOf` documents, with the reader of the protobuf library. */
function slowCount(schema: DescMessage, bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let values = 0;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const content = reader.skip(wireType, number);
    values += 1 + contentCount(schema, number, wireType, content);
  }
  return schema.typeName === ValueSchema.typeName ? Math.max(0, values - 1) : values;
}

function contentCount(schema: DescMessage, number: number, wireType: WireType, content: Uint8Array): number {
  if (wireType === WireType.StartGroup) return groupCount(content);
  const field = schema.fields.find((candidate) => candidate.number === number);
  if (field === undefined || wireType !== WireType.LengthDelimited) return 0;
  const body = new BinaryReader(content).bytes();
  if (field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message")) {
    return slowCount(field.message, body);
  }
  if (field.fieldKind === "map") {
    const reader = new BinaryReader(body);
    let values = 0;
    let fields = 0;
    for (; reader.pos < reader.len; fields++) {
      const [entryNumber, entryType] = reader.tag();
      const entry = reader.skip(entryType, entryNumber);
      if (entryNumber === 2 && field.mapKind === "message")
        values += slowCount(field.message, new BinaryReader(entry).bytes());
    }
    return values + Math.max(0, fields - 2);
  }
  return 0;
}

function groupCount(content: Uint8Array): number {
  const reader = new BinaryReader(content);
  let values = 0;
  for (;;) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.EndGroup) return values;
    const inner = reader.skip(wireType, number);
    values += 1 + (wireType === WireType.StartGroup ? groupCount(inner) : 0);
  }
}

const requests = fc.constantFrom(...inputs).chain((schema) => messageBytes(schema).map((bytes) => ({ schema, bytes })));

describe("the bounds of an encoded request", () => {
  it("accepts every message of the contract", () => {
    fc.assert(fc.property(requests, ({ schema, bytes }) => wireProblemOf(schema, bytes) === undefined));
  });

  it("agrees with a slow count", () => {
    fc.assert(
      fc.property(requests, ({ schema, bytes }) => {
        expect(valuesOf(schema, bytes)).toBe(1 + slowCount(schema, bytes));
      }),
      { numRuns: 30 },
    );
  });

  it("never throws, and rejects what the decoder rejects except for UTF-8", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      requests.chain(({ bytes: valid }) =>
        fc.array(fc.tuple(fc.nat(Math.max(0, valid.length - 1)), fc.nat(255)), { maxLength: 3 }).map((changes) => {
          const changed = Uint8Array.from(valid);
          for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
          return changed;
        }),
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...inputs), bytes, (schema, input) => {
        if (wireProblemOf(schema, input) !== undefined) return;
        try {
          fromBinary(schema, input, { recursionLimit: mostLevels });
        } catch (error) {
          expect(String(error)).toMatch(/utf-?8|encoded data was not valid/i);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, (size: number) => JsonValue]>([
    ["a list", (size) => Array.from({ length: size }, () => 0)],
    ["an object", (size) => Object.fromEntries(Array.from({ length: size }, (_, index) => [`k${index}`, true]))],
  ])("counts a Struct as its JSON: %s", (_name, make) => {
    for (const [size, excess] of [[maxValues - 2], [maxValues - 1, "values"]] as const) {
      const json = { key: make(size) };
      expect(excessOf(JSON.stringify(json), maxValues)).toBe(excess);
      expect(wireProblemOf(StructSchema, toBinary(StructSchema, fromJson(StructSchema, json)))).toBe(excess);
    }
  });

  it("counts every number of a packed list", () => {
    const packed = (numbers: number) =>
      new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(new Uint8Array(numbers)).finish();
    expect(wireProblemOf(ExtensionNumberResponseSchema, packed(maxValues - 1))).toBeUndefined();
    expect(wireProblemOf(ExtensionNumberResponseSchema, packed(maxValues))).toBe("values");
  });

  it.each([
    ["a string as a varint", [0x08, 0x01]],
    ["a field that is longer than its message", [0x0a, 0x03, 0x0a, 0x04, 0x61, 0x78, 0, 0x78, 0]],
    ["a number that ends early", [0x78, 0x80]],
    ["a number of more than ten bytes", [0x78, ...Array(10).fill(0x80), 0]],
    ["field number 0", [0x02, 0x00]],
    ["an end of a group without its start", [0x7c]],
    ["a group that does not end", [0x7b]],
    ["a group that another ends", [0x7b, 0x84, 0x01]],
    ["an unknown wire type", [0x7e]],
  ])("rejects %s", (_name, bytes) => {
    expect(wireProblemOf(CompleteChatRequestSchema, Uint8Array.from(bytes))).toBe("malformed");
  });

  it("accepts 128 levels of messages and groups, and rejects 129", () => {
    const groups = (levels: number) => Buffer.concat([Buffer.alloc(levels, 0x7b), Buffer.alloc(levels, 0x7c)]);
    expect(wireProblemOf(CompleteChatRequestSchema, groups(mostLevels - 1))).toBeUndefined();
    expect(wireProblemOf(CompleteChatRequestSchema, groups(mostLevels))).toBe("levels");
  });
});

import {
  create,
  type DescField,
  type DescMessage,
  type JsonObject,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { isJson } from "../../src/wire/plain-messages.ts";

/** Most levels of messages. */
const mostLevels = 5;

/** Most fields of a message that are set. */
const mostFields = 8;

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("", "\ufefftext", "x".repeat(127), "x".repeat(128), "é".repeat(70), "é".repeat(43)),
);
const int32 = fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 31 - 1, -(2 ** 31)), fc.nat(), fc.integer());
const uint32 = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1), fc.nat({ max: 2 ** 32 - 1 }));
const int64 = fc.oneof(
  fc.constantFrom(0n, 127n, 128n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n), -1n),
  fc.bigInt({ min: 0n, max: 2n ** 40n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const uint64 = fc.oneof(fc.constantFrom(0n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));

const scalars: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.DOUBLE]: fc.double(),
  [ScalarType.FLOAT]: fc.float(),
  [ScalarType.INT64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.INT32]: int32,
  [ScalarType.FIXED64]: uint64,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.STRING]: text,
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 200 }),
  [ScalarType.UINT32]: uint32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.SINT32]: int32,
  [ScalarType.SINT64]: int64,
};

const unknownFields = fc.array(
  fc.constantFrom(
    { no: 2047, wireType: WireType.Varint, data: Uint8Array.of(0x96, 0x01) },
    { no: 2047, wireType: WireType.LengthDelimited, data: Uint8Array.of(1, 0x61) },
    { no: 2047, wireType: WireType.StartGroup, data: Uint8Array.of(0x78, 0, 0xfc, 0x7f) },
  ),
  { minLength: 1, maxLength: 2 },
);

interface Options {
  /** Whether messages at all levels can have fields that the schema lacks. */
  readonly hasUnknown?: boolean;
  /** Values of fields with these types. */
  readonly scalars?: Readonly<Partial<Record<ScalarType, fc.Arbitrary<unknown>>>>;
  /** Values of enums. */
  readonly enums?: fc.Arbitrary<number>;
}

/** Messages with any values in some of the fields that their schema has, also those that it gets in the future. */
export function anyMessage(schema: DescMessage, options: Options = {}, level = 1): fc.Arbitrary<Message> {
  const fields = schema.fields.filter(({ message }) => level < mostLevels || message === undefined);
  const unknown = options.hasUnknown ? fc.option(unknownFields, { freq: 5, nil: undefined }) : fc.constant(undefined);
  return fc
    .tuple(
      fc.subarray(fields, {
        minLength: Math.min(fields.length, 1),
        maxLength: Math.min(fields.length, mostFields),
      }),
      unknown,
    )
    .chain(([chosen, $unknown]) =>
      fc.tuple(...chosen.map((field) => fieldValue(field, options, level))).map((values) => {
        const init: Record<string, unknown> = {};
        for (const [index, { localName, oneof }] of chosen.entries()) {
          if (oneof === undefined) init[localName] = values[index];
          else init[oneof.localName] = { case: localName, value: values[index] };
        }
        return Object.assign(create(schema, init), $unknown && { $unknown });
      }),
    );
}

function fieldValue(field: DescField, options: Options, level: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") return fc.array(oneValue(field, options, level), { maxLength: 3 });
  if (field.fieldKind !== "map") return oneValue(field, options, level);
  const key = scalarValue(field.mapKey, options).map(String);
  return fc.dictionary(key, oneValue(field, options, level), { maxKeys: 3 });
}

function oneValue(field: DescField, options: Options, level: number): fc.Arbitrary<unknown> {
  if (isJson(field)) return jsonObject;
  if (field.message !== undefined) return anyMessage(field.message, options, level + 1);
  if (field.enum === undefined) return scalarValue(field.scalar ?? ScalarType.INT32, options);
  return options.enums ?? fc.oneof(fc.constantFrom(...field.enum.values.map(({ number }) => number)), int32);
}

function scalarValue(type: ScalarType, options: Options): fc.Arbitrary<unknown> {
  return options.scalars?.[type] ?? scalars[type];
}

const jsonObject: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 4 })
  .map((object) => structuredClone(object) as JsonObject);

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";

const maxDepth = 6;

/** Texts that some field of the contract accepts, and texts that none should. */
const texts = [
  ...["", "a", "f", "hi", "user", "auto", "{}", "[]", "null", '{"type":"object"}', '{"a":', '"\\ud800"', "1e999"],
  ...["image/png", "audio/wav", "application/pdf", "text/plain", "x/y", "https://a.example/b.png", "gs://b/c"],
  ...["data:image/png;base64,AA==", "http://[", "javascript:x", "openai", "anthropic", "echo", "llm-engine", "low"],
  ...["{{ messages }}", "{% for m in messages %}{{ m.content }}{% endfor %}", "{{ 1/0 }}", "{% if", "{{ x.y.z }}"],
  ...["__proto__", "constructor", "toString", "a.b[0]", "\u0000", "\uFFFD", "😀", "é".repeat(300), "a".repeat(100_000)],
  ...["^(a+)+$", "(", "root ::= x", "start: /x/", "%", "../..", "\r\nx: y"],
];
const invalidUtf8 = [[0xed, 0xa0, 0x80], [0xff], [0xc0, 0x80], [0xf0, 0x9f]].map((bytes) => Uint8Array.from(bytes));

const integers = [
  0n,
  1n,
  2n,
  3n,
  5n,
  100n,
  4096n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -1n,
  -(2n ** 31n),
  -(2n ** 63n),
];
const doubles = [0, 0.5, 1, 2, -1, -0, 1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const tagged = (number: number, type: WireType): BinaryWriter => new BinaryWriter().tag(number, type);
const delimited = (number: number, bytes: Uint8Array): Uint8Array =>
  tagged(number, WireType.LengthDelimited).bytes(bytes).finish();

const textBytes = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...texts).map((text) => new TextEncoder().encode(text)) },
  { weight: 2, arbitrary: fc.string({ maxLength: 20 }).map((text) => new TextEncoder().encode(text)) },
  { weight: 1, arbitrary: fc.constantFrom(...invalidUtf8) },
);

/**
 * Encoded messages of a schema. Most fields are valid; some have a wrong wire type, a number that the schema does not
 * have, or a group. Fields can occur several times, in any order.
 */
export function wireMessage(schema: DescMessage, depth = 0): fc.Arbitrary<Uint8Array> {
  const known = schema.fields.filter((field) => depth < maxDepth || field.message === undefined);
  if (known.length === 0) return fc.constant(new Uint8Array());
  const field = fc.constantFrom(...known).chain((one) => wireField(one, depth));
  return fc
    .array(fc.oneof({ weight: 25, arbitrary: field }, { weight: 1, arbitrary: wrongField(schema) }), {
      maxLength: depth === 0 ? 6 : 4,
    })
    .map(joined);
}

function wireField(field: DescField, depth: number): fc.Arbitrary<Uint8Array> {
  const { number, message } = field;
  if (field.fieldKind === "map") {
    const value = message === undefined ? scalar(2, field.scalar) : nested(2, message, depth);
    return fc.tuple(scalar(1, field.mapKey), value).map((entry) => delimited(number, joined(entry)));
  }
  const one =
    field.enum !== undefined
      ? fc
          .oneof(
            { weight: 6, arbitrary: fc.constantFrom(...field.enum.values.map((value) => value.number)) },
            fc.constantFrom(99, -1),
          )
          .map((value) => tagged(number, WireType.Varint).int32(value).finish())
      : message === undefined
        ? scalar(number, field.scalar)
        : nested(number, message, depth);
  return field.fieldKind === "list" ? fc.array(one, { maxLength: 3 }).map(joined) : one;
}

function nested(number: number, schema: DescMessage, depth: number): fc.Arbitrary<Uint8Array> {
  return wireMessage(schema, depth + 1).map((bytes) => delimited(number, bytes));
}

function scalar(number: number, type: ScalarType | undefined): fc.Arbitrary<Uint8Array> {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return textBytes.map((bytes) => delimited(number, bytes));
    case ScalarType.DOUBLE:
      return fc.constantFrom(...doubles).map((value) => tagged(number, WireType.Bit64).double(value).finish());
    case ScalarType.BOOL:
      return fc.boolean().map((value) => tagged(number, WireType.Varint).bool(value).finish());
    default:
      return fc.constantFrom(...integers).map((value) => tagged(number, WireType.Varint).int64(value).finish());
  }
}

/** A field with a wrong wire type, an unknown field, a group, or a tag without a value. */
function wrongField({ fields }: DescMessage): fc.Arbitrary<Uint8Array> {
  const numbers = fc.constantFrom(...fields.map(({ number }) => number), 0, 1_000, 536_870_911);
  return fc.oneof(
    numbers.map((number) => tagged(number, WireType.Varint).int64(7n).finish()),
    numbers.map((number) => tagged(number, WireType.Bit64).double(1).finish()),
    numbers.map((number) => tagged(number, WireType.Bit32).float(1).finish()),
    numbers.map((number) => delimited(number, Uint8Array.of(255, 255, 255))),
    numbers.map((number) =>
      joined([tagged(number, WireType.StartGroup).finish(), tagged(number, WireType.EndGroup).finish()]),
    ),
    numbers.map((number) => tagged(number, WireType.StartGroup).finish()),
    numbers.map((number) => tagged(number, WireType.EndGroup).finish()),
    numbers.map((number) => tagged(number, WireType.LengthDelimited).uint32(4_000_000_000).finish()),
    fc.tuple(numbers, fc.constantFrom(10, 5_000, 300_000)).map(([number, count]) => {
      const one = delimited(number, new Uint8Array());
      return joined(Array.from({ length: count }, () => one));
    }),
    fc.tuple(numbers, fc.constantFrom(50, 200, 5_000)).map(([number, levels]) => {
      let bytes: Uint8Array = new Uint8Array();
      for (let level = 0; level < levels; level++) bytes = delimited(number, bytes);
      return bytes;
    }),
  );
}

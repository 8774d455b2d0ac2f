import { create, type DescField, type DescMessage, type Message, ScalarType, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type CallRecord, CallRecordSchema } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { encodeRecord } from "../../src/ledger/encode-record.ts";
import { WireWriter } from "../../src/ledger/wire-writer.ts";

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("", "x".repeat(127), "x".repeat(128), "é".repeat(70), "é".repeat(43), "x".repeat(20_000)),
);
const int32 = fc.oneof(fc.constant(0), fc.nat(), fc.integer());
const int64 = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 0n, max: 2n ** 40n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

/** Messages with any values in any of the fields that their schema has, also those that it gets in the future. */
function messages(schema: DescMessage): fc.Arbitrary<Message> {
  const fields = schema.fields.map((field): [string, fc.Arbitrary<unknown>] => [field.localName, values(field)]);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] }).map((fields) => create(schema, fields));
}

function values(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return scalars(field.scalar);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ number }) => number));
    case "message":
      return messages(field.message);
    case "list":
      return fc.array(field.listKind === "message" ? messages(field.message) : scalars(ScalarType.STRING), {
        maxLength: 3,
      });
    case "map":
      return fc.dictionary(text, field.mapKind === "scalar" ? scalars(field.scalar) : text, { maxKeys: 3 });
    default:
      return field satisfies never;
  }
}

function scalars(type: ScalarType): fc.Arbitrary<unknown> {
  if (type === ScalarType.STRING) return text;
  if (type === ScalarType.INT32) return int32;
  if (type === ScalarType.INT64) return int64;
  throw new Error("encode-record.ts has no such field yet");
}

it("writes the same bytes as toBinary for any record", () => {
  const writer = new WireWriter();
  fc.assert(
    fc.property(messages(CallRecordSchema), (message) => {
      const record = message as CallRecord;
      writer.truncate(0);
      encodeRecord(writer, record);
      expect(writer.written.equals(toBinary(CallRecordSchema, record))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

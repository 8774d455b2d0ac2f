import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { CallRecordSchema } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { CostSchema, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { compileEncoder } from "../../src/ledger/encode-message.ts";
import { WireWriter } from "../../src/ledger/wire-writer.ts";

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("x".repeat(127), "x".repeat(128), "é".repeat(70), "x".repeat(20_000)),
);
const int32 = fc.oneof(fc.constant(0), fc.integer());
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const duration = optional(fc.integer({ min: 0, max: 10 ** 9 }).map(durationFromMs));

/** Removes the keys that are undefined, which `create` does not accept. */
const present = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };

const usage = fc
  .record({
    inputTokens: int32,
    outputTokens: int32,
    totalTokens: int32,
    cachedInputTokens: optional(int32),
    audioOutputTokens: optional(int32),
    quality: fc.integer({ min: 0, max: 3 }),
    serverToolRequests: fc.dictionary(text, int32, { maxKeys: 3 }),
    cost: optional(
      fc
        .record({ totalNanos: int64, otherNanos: int64, source: fc.integer({ min: 0, max: 3 }), priceVersion: text })
        .map((cost) => create(CostSchema, cost)),
    ),
  })
  .map((value) => create(UsageSchema, present(value)));
const attempt = fc
  .record({
    provider: text,
    failureReason: text,
    httpStatus: int32,
    providerLimits: fc.dictionary(text, text, { maxKeys: 3 }),
    usage: optional(usage),
    duration,
    startOffset: duration,
    choiceIndex: optional(int32),
    outcome: fc.integer({ min: 0, max: 3 }),
  })
  .map((value) => create(AttemptSchema, present(value)));
const record = fc
  .record({
    id: text,
    startTime: optional(fc.integer({ min: 0, max: 2 ** 42 }).map(timestampFromMs)),
    account: text,
    labels: fc.dictionary(text, text, { maxKeys: 3 }),
    model: text,
    outcome: fc.integer({ min: 0, max: 6 }),
    usage: optional(usage),
    attempts: fc.array(attempt, { maxLength: 3 }),
    duration,
    firstOutputDuration: duration,
    profile: fc.integer({ min: 0, max: 5 }),
    notes: fc.array(text, { maxLength: 3 }),
  })
  .map((value) => create(CallRecordSchema, present(value)));

it("writes the same bytes as toBinary for any record", () => {
  const encode = compileEncoder(CallRecordSchema);
  const writer = new WireWriter();
  fc.assert(
    fc.property(record, (message) => {
      writer.truncate(0);
      encode(writer, message);
      expect(writer.written.equals(toBinary(CallRecordSchema, message))).toBe(true);
    }),
  );
});

it("throws for a schema with a kind of field that it does not support", () => {
  expect(() => compileEncoder(ModelSchema)).toThrow(/does not support the kind of dragoman\.v1\./);
});

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { createCallId } from "../../../src/calls/call-id.ts";
import { CallOutcome, type CallRecord, CallRecordSchema } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { AttemptOutcome, AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { Profile } from "../../../src/gen/dragoman/v1/profile_pb.js";
import { CostSchema, CostSource, UsageQuality, UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";

export const testStartMs = Date.UTC(2026, 10, 20);

type Fields = MessageInitShape<typeof CallRecordSchema> & { readonly startMs?: number };

/** Returns a record of a call that succeeded. */
export function testRecord({ startMs = testStartMs, ...fields }: Fields = {}): CallRecord {
  return create(CallRecordSchema, {
    id: createCallId("chatcmpl-", startMs),
    startTime: timestampFromMs(startMs),
    account: "billing",
    keyId: "team-a",
    model: "openai/gpt-5.5",
    provider: "openai",
    method: "CompleteChat",
    protocol: "grpc",
    outcome: CallOutcome.OK,
    profile: Profile.PLAIN,
    usage: create(UsageSchema, { inputTokens: 10, outputTokens: 5, totalTokens: 15, quality: UsageQuality.EXACT }),
    duration: create(DurationSchema, { seconds: 1n, nanos: 500_000_000 }),
    ...fields,
  });
}

// PostgreSQL cannot store NUL: a test of its own shows what becomes of it.
const text = fc.string({ unit: "binary", maxLength: 12 }).map((any) => any.replaceAll("\0", "0"));
const count = fc.integer({ min: 0, max: 2 ** 31 - 1 });
// A cost is at most a million US dollars.
const amount = fc.bigInt({ min: 0n, max: 10n ** 15n });
const duration: fc.Arbitrary<Duration> = fc
  .record({ seconds: fc.bigInt({ min: 0n, max: 100_000n }), nanos: fc.integer({ min: 0, max: 999_999_999 }) })
  .map((fields) => create(DurationSchema, fields));
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

/** Only the fields that have a value: an unset field and one that is `undefined` are different to `toEqual`. */
function present<Message extends object>(fields: Message): Message {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Message;
}

const cost = fc
  .record({
    ...{ totalNanos: amount, inputNanos: amount, cachedInputNanos: amount, cacheWriteNanos: amount },
    ...{ outputNanos: amount, otherNanos: amount, priceVersion: text },
    source: fc.constantFrom(CostSource.PROVIDER, CostSource.PRICE_TABLE, CostSource.UNSPECIFIED),
  })
  .map((fields) => create(CostSchema, fields));

const usage = fc
  .record({
    ...{ inputTokens: count, outputTokens: count, totalTokens: count },
    ...{ cachedInputTokens: optional(count), cacheWriteInputTokens: optional(count) },
    ...{ reasoningTokens: optional(count), acceptedPredictionTokens: optional(count) },
    ...{ rejectedPredictionTokens: optional(count), cacheWrite1hInputTokens: optional(count) },
    ...{ audioInputTokens: optional(count), audioOutputTokens: optional(count) },
    ...{ imageInputTokens: optional(count), imageOutputTokens: optional(count) },
    serverToolRequests: fc.dictionary(text, count, { maxKeys: 2 }),
    quality: fc.constantFrom(UsageQuality.UNSPECIFIED, UsageQuality.EXACT, UsageQuality.PARTIAL),
    cost: optional(cost),
  })
  .map((fields) => create(UsageSchema, present(fields)));

const attempt = fc
  .record({
    ...{ provider: text, providerModel: text, failureReason: text, target: text, credential: text },
    ...{ httpStatus: fc.constantFrom(0, 200, 429), providerRequestId: text, usage: optional(usage) },
    ...{ duration: optional(duration), startOffset: optional(duration), choiceIndex: optional(count) },
    providerLimits: fc.dictionary(text, text, { maxKeys: 2 }),
    outcome: fc.constantFrom(AttemptOutcome.ANSWERED, AttemptOutcome.FAILED),
  })
  .map((fields) => create(AttemptSchema, present(fields)));

/** Records with any content, at times around a few days. */
export const anyRecord: fc.Arbitrary<CallRecord> = fc
  .record({
    ...{ account: text, keyId: text, user: text, route: text, model: text, provider: text, method: text },
    ...{ reason: text, requestId: text, peer: text, protocol: text },
    labels: fc.dictionary(text, text, { maxKeys: 3 }),
    outcome: fc.constantFrom(...[0, 1, 2, 3, 4, 5, 6].map((value) => value as CallOutcome)),
    usage: optional(usage),
    attempts: fc.array(attempt, { maxLength: 2 }),
    firstOutputDuration: optional(duration),
    duration: optional(duration),
    profile: fc.constantFrom(Profile.UNSPECIFIED, Profile.PLAIN, Profile.EGP_CHAT),
    notes: fc.array(text, { maxLength: 2 }),
    startMs: fc.integer({ min: testStartMs, max: testStartMs + 3 * 86_400_000 }),
  })
  .map((fields) => testRecord(present(fields)));

/** Returns the record with a number: always the same one, also in another process. */
export function numberedRecord(number: number): CallRecord {
  const startMs = testStartMs + number * 97_000;
  const id = `chatcmpl-${startMs.toString(16).padStart(12, "0")}7000a${String(number).padStart(15, "0")}`;
  const usage = create(UsageSchema, {
    ...{ inputTokens: number, outputTokens: 1, totalTokens: number + 1, quality: UsageQuality.EXACT },
    cost: create(CostSchema, { totalNanos: BigInt(number), source: CostSource.PRICE_TABLE }),
  });
  return testRecord({ id, startMs, usage, account: `account-${number % 5}` });
}

import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type CallOutcome,
  CallOutcomeSchema,
  type CallRecord,
  CallRecordSchema,
} from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { AttemptSchema } from "../../gen/dragoman/v1/attempt_pb.js";
import { type Profile, ProfileSchema } from "../../gen/dragoman/v1/profile_pb.js";
import {
  CostSchema,
  type CostSource,
  CostSourceSchema,
  type Usage,
  type UsageQuality,
  UsageQualitySchema,
  UsageSchema,
} from "../../gen/dragoman/v1/usage_pb.js";
import { storableJson, storableText } from "./storable.ts";
import type { CallRow } from "./tables.ts";
import { wordsOf } from "./words.ts";

type Written<Value> = Value extends bigint ? number | string : Value;

/** A row of `call`, as it is written. */
export type NewCallRow = { readonly [Column in keyof CallRow]: Written<CallRow[Column]> };

export const outcomes = wordsOf<CallOutcome>(CallOutcomeSchema);
const profiles = wordsOf<Profile>(ProfileSchema, "-");
const qualities = wordsOf<UsageQuality>(UsageQualitySchema);
const costSources = wordsOf<CostSource>(CostSourceSchema);

/** Optional counts of Usage, by column. */
const counts = {
  cached_input_tokens: "cachedInputTokens",
  cache_write_input_tokens: "cacheWriteInputTokens",
  cache_write_1h_input_tokens: "cacheWrite1hInputTokens",
  reasoning_tokens: "reasoningTokens",
  accepted_prediction_tokens: "acceptedPredictionTokens",
  rejected_prediction_tokens: "rejectedPredictionTokens",
  audio_input_tokens: "audioInputTokens",
  audio_output_tokens: "audioOutputTokens",
  image_input_tokens: "imageInputTokens",
  image_output_tokens: "imageOutputTokens",
} as const satisfies Partial<Record<keyof CallRow, keyof Usage>>;
type CountColumn = keyof typeof counts;
const countColumns = Object.keys(counts) as CountColumn[];

/** Amounts of Cost, by column. */
const amounts = {
  cost_nanos: "totalNanos",
  input_cost_nanos: "inputNanos",
  cached_input_cost_nanos: "cachedInputNanos",
  cache_write_cost_nanos: "cacheWriteNanos",
  output_cost_nanos: "outputNanos",
  other_cost_nanos: "otherNanos",
} as const;
type AmountColumn = keyof typeof amounts;
const amountColumns = Object.keys(amounts) as AmountColumn[];

const protoNames = { useProtoFieldName: true };

/** Converts a record to a row that both kinds of database accept. */
export function toRow(record: CallRecord): NewCallRow {
  const { usage } = record;
  const cost = usage?.cost;
  return {
    id: storableText(record.id),
    start_time: isoTime(record.startTime),
    account: indexed(record.account),
    key_id: indexed(record.keyId),
    user_id: storableText(record.user),
    labels: storableJson(record.labels),
    route: indexed(record.route),
    model: indexed(record.model),
    provider: indexed(record.provider),
    method: storableText(record.method),
    protocol: storableText(record.protocol),
    outcome: outcomes.word(record.outcome),
    reason: storableText(record.reason),
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    total_tokens: usage?.totalTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    cache_write_input_tokens: usage?.cacheWriteInputTokens ?? null,
    cache_write_1h_input_tokens: usage?.cacheWrite1hInputTokens ?? null,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    accepted_prediction_tokens: usage?.acceptedPredictionTokens ?? null,
    rejected_prediction_tokens: usage?.rejectedPredictionTokens ?? null,
    audio_input_tokens: usage?.audioInputTokens ?? null,
    audio_output_tokens: usage?.audioOutputTokens ?? null,
    image_input_tokens: usage?.imageInputTokens ?? null,
    image_output_tokens: usage?.imageOutputTokens ?? null,
    server_tool_requests: usage === undefined ? null : storableJson(usage.serverToolRequests),
    quality: usage === undefined ? null : qualities.word(usage.quality),
    cost_nanos: writeInteger(cost?.totalNanos),
    input_cost_nanos: writeInteger(cost?.inputNanos),
    cached_input_cost_nanos: writeInteger(cost?.cachedInputNanos),
    cache_write_cost_nanos: writeInteger(cost?.cacheWriteNanos),
    output_cost_nanos: writeInteger(cost?.outputNanos),
    other_cost_nanos: writeInteger(cost?.otherNanos),
    cost_source: cost === undefined ? null : costSources.word(cost.source),
    price_version: cost === undefined ? null : storableText(cost.priceVersion),
    first_output_ms: milliseconds(record.firstOutputDuration),
    duration_ms: milliseconds(record.duration),
    request_id: indexed(record.requestId),
    profile: profiles.word(record.profile),
    peer: storableText(record.peer),
    attempts: storableJson(record.attempts.map((attempt) => toJson(AttemptSchema, attempt, protoNames))),
    notes: storableJson(record.notes),
  };
}

/** Converts a row to the record that it was made from. */
export function fromRow(row: CallRow): CallRecord {
  return create(CallRecordSchema, {
    id: row.id,
    startTime: timestampFromMs(Date.parse(row.start_time)),
    account: row.account,
    keyId: row.key_id,
    user: row.user_id,
    labels: JSON.parse(row.labels),
    route: row.route,
    model: row.model,
    provider: row.provider,
    method: row.method,
    protocol: row.protocol,
    outcome: outcomes.value(row.outcome),
    reason: row.reason,
    ...optional("usage", readUsage(row)),
    ...optional("firstOutputDuration", duration(row.first_output_ms)),
    ...optional("duration", duration(row.duration_ms)),
    requestId: row.request_id,
    profile: profiles.value(row.profile),
    peer: row.peer,
    attempts: (JSON.parse(row.attempts) as JsonValue[]).map((attempt) =>
      fromJson(AttemptSchema, attempt, { ignoreUnknownFields: true }),
    ),
    notes: JSON.parse(row.notes),
  });
}

function readUsage(row: CallRow): Usage | undefined {
  if (row.input_tokens === null) return undefined;
  const usage = create(UsageSchema, {
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    totalTokens: Number(row.total_tokens),
    serverToolRequests: JSON.parse(row.server_tool_requests ?? "{}"),
    quality: qualities.value(row.quality ?? ""),
  });
  for (const column of countColumns) {
    const count = row[column];
    if (count !== null) usage[counts[column]] = Number(count);
  }
  if (row.cost_nanos === null) return usage;
  const cost = create(CostSchema, {
    source: costSources.value(row.cost_source ?? ""),
    priceVersion: row.price_version ?? "",
  });
  for (const column of amountColumns) cost[amounts[column]] = row[column] ?? 0n;
  usage.cost = cost;
  return usage;
}

/** Omits the field if there is no value. */
function optional<Field extends string, Value>(field: Field, value: Value | undefined) {
  return (value === undefined ? {} : { [field]: value }) as { [Name in Field]?: Value };
}

function writeInteger(value: bigint | undefined): number | string | null {
  if (value === undefined) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

const latestMs = Date.UTC(9999, 11, 31);

function isoTime(time: Timestamp | undefined): string {
  const ms = time === undefined ? 0 : timestampMs(time);
  return new Date(Math.min(Math.max(0, ms), latestMs)).toISOString();
}

function milliseconds(time: Duration | undefined): number | null {
  return time === undefined ? null : (Number(time.seconds) * 1e9 + time.nanos) / 1e6;
}

function duration(ms: number | null): Duration | undefined {
  if (ms === null) return undefined;
  const nanos = Math.round(ms * 1e6);
  return create(DurationSchema, { seconds: BigInt(Math.trunc(nanos / 1e9)), nanos: nanos % 1e9 });
}

/** PostgreSQL takes at most about 2,700 bytes in the columns of an index: here five columns, the hour and the outcome. */
const maxIndexedBytes = 512;

/** Cuts a text that is too long for an index. Texts of up to 128 UTF-16 units are never too long. */
function indexed(anyText: string): string {
  const text = storableText(anyText);
  if (text.length <= 128 || Buffer.byteLength(text) <= maxIndexedBytes) return text;
  // An incomplete character at the end becomes one of three bytes.
  return Buffer.from(text)
    .subarray(0, maxIndexedBytes - 3)
    .toString();
}

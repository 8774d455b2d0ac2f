import { type DescEnum, toJson } from "@bufbuild/protobuf";
import { type Duration, durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { CallOutcome, CallOutcomeSchema, type CallRecord } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { AttemptSchema } from "../../gen/dragoman/v1/attempt_pb.js";
import { ProfileSchema } from "../../gen/dragoman/v1/profile_pb.js";
import { type Usage, UsageQualitySchema } from "../../gen/dragoman/v1/usage_pb.js";

/** JSON form of OTLP's AnyValue. 64-bit integers are strings. */
type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** Severities of OTLP: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
const info = { severityNumber: 9, severityText: "INFO" };
const warn = { severityNumber: 13, severityText: "WARN" };

const warned = new Set([CallOutcome.FAILED, CallOutcome.LOST, CallOutcome.DEADLINE_EXCEEDED]);

/** Returns the JSON form of OTLP's ExportLogsServiceRequest, with a log record for each call record. */
export function toExportRequest(records: readonly CallRecord[]) {
  const logRecords = records.map(toLogRecord);
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "dragoman" } }] };
  return { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: "dragoman.ledger" }, logRecords }] }] };
}

function toLogRecord(record: CallRecord) {
  return {
    timeUnixNano: record.startTime ? `${timestampMs(record.startTime)}000000` : "0",
    ...(warned.has(record.outcome) ? warn : info),
    eventName: "dragoman.call",
    body: { stringValue: `${record.method} ${nameOf(CallOutcomeSchema, record.outcome)}` },
    attributes: attributesOf(record),
  };
}

/** Attributes of a call. Those without a value are left out. */
function attributesOf(record: CallRecord): readonly KeyValue[] {
  return [
    ...text("call.id", record.id),
    ...text("request.id", record.requestId),
    ...text("account", record.account),
    ...text("key.id", record.keyId),
    ...text("user", record.user),
    ...texts("labels", record.labels),
    ...text("route", record.route),
    ...text("model", record.model),
    ...text("provider", record.provider),
    ...text("method", record.method),
    ...text("protocol", record.protocol),
    ...text("peer", record.peer),
    ...text("profile", nameOf(ProfileSchema, record.profile)),
    ...text("outcome", nameOf(CallOutcomeSchema, record.outcome)),
    ...text("reason", record.reason),
    ...milliseconds("duration_ms", record.duration),
    ...milliseconds("first_output_ms", record.firstOutputDuration),
    ...(record.usage ? usageOf(record.usage) : []),
    ...list(
      "attempts",
      record.attempts.map((attempt) => JSON.stringify(toJson(AttemptSchema, attempt))),
    ),
    ...list("notes", record.notes),
  ];
}

function usageOf(usage: Usage): readonly KeyValue[] {
  return [
    ...whole("usage.input_tokens", usage.inputTokens),
    ...whole("usage.output_tokens", usage.outputTokens),
    ...whole("usage.total_tokens", usage.totalTokens),
    ...whole("usage.cached_input_tokens", usage.cachedInputTokens),
    ...whole("usage.cache_write_input_tokens", usage.cacheWriteInputTokens),
    ...whole("usage.cache_write_1h_input_tokens", usage.cacheWrite1hInputTokens),
    ...whole("usage.reasoning_tokens", usage.reasoningTokens),
    ...whole("usage.accepted_prediction_tokens", usage.acceptedPredictionTokens),
    ...whole("usage.rejected_prediction_tokens", usage.rejectedPredictionTokens),
    ...whole("usage.audio_input_tokens", usage.audioInputTokens),
    ...whole("usage.audio_output_tokens", usage.audioOutputTokens),
    ...whole("usage.image_input_tokens", usage.imageInputTokens),
    ...whole("usage.image_output_tokens", usage.imageOutputTokens),
    ...Object.entries(usage.serverToolRequests).flatMap(([tool, count]) =>
      whole(`usage.server_tool_requests.${tool}`, count),
    ),
    ...text("usage.quality", nameOf(UsageQualitySchema, usage.quality)),
    ...whole("cost.total_nanos", usage.cost?.totalNanos),
    ...text("cost.price_version", usage.cost?.priceVersion ?? ""),
  ];
}

/** Returns the name of an enum's value without its prefix, in lower case. Empty for UNSPECIFIED and unknown values. */
function nameOf({ values, sharedPrefix = "" }: DescEnum, number: number): string {
  const name = values.find((value) => value.number === number)?.name.slice(sharedPrefix.length) ?? "UNSPECIFIED";
  return name === "UNSPECIFIED" ? "" : name.toLowerCase();
}

const attribute = (name: string, value: AnyValue): readonly KeyValue[] => [{ key: `dragoman.${name}`, value }];

function text(name: string, value: string): readonly KeyValue[] {
  return value === "" ? [] : attribute(name, { stringValue: value });
}

function whole(name: string, value: number | bigint | undefined): readonly KeyValue[] {
  return value === undefined ? [] : attribute(name, { intValue: String(value) });
}

function milliseconds(name: string, duration: Duration | undefined): readonly KeyValue[] {
  return duration === undefined ? [] : attribute(name, { doubleValue: durationMs(duration) });
}

function list(name: string, values: readonly string[]): readonly KeyValue[] {
  return values.length === 0
    ? []
    : attribute(name, { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } });
}

function texts(name: string, map: Readonly<Record<string, string>>): readonly KeyValue[] {
  const values = Object.entries(map).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return values.length === 0 ? [] : attribute(name, { kvlistValue: { values } });
}

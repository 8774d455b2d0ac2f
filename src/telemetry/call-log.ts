import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { GatewayError } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import { CostSource, type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallRecord } from "../ledger/record.ts";
import type { SentRequest } from "../ledger/sent-request.ts";
import { levelOf } from "./call-level.ts";
import { failureFields } from "./failure-fields.ts";
import type { Log } from "./log.ts";
import { SampledLog } from "./sampled-log.ts";

/** Failure of an attempt, and the request that the provider got. */
interface Failure {
  readonly error: GatewayError;
  readonly request: SentRequest;
}

/**
 * Logs the record of each call as one line with the message `call`, at every log level except `silent`. Logs the cause
 * of a call that failed with status INTERNAL as a separate line with its stack, unless the caller is at fault: for the
 * same reason and class of error at most one in a second.
 */
export function createCallLog(log: Log): CallObserver {
  const failures = new WeakMap<Attempt, Failure>();
  const faults = new SampledLog(log);
  return {
    attemptFailed: (_, attempt, error, request) => void failures.set(attempt, { error, request }),
    settled(record, error) {
      if (error?.status === "INTERNAL" && error.reason !== "MALFORMED_FRAME") {
        const { name } = error.cause instanceof Error ? error.cause : error;
        faults.write(`${error.reason} ${name}`, {
          level: levelOf(error.reason),
          fields: { id: record.id, err: error.cause ?? error },
          message: "call failed with status INTERNAL",
        });
      }
      if (log.level !== "silent") log.record(levelOf(error?.reason), toLine(record, error, failures), "call");
    },
  };
}

function toLine(record: CallRecord, error: GatewayError | undefined, failures: WeakMap<Attempt, Failure>) {
  const { attempts } = record;
  return {
    id: record.id,
    request_id: record.requestId,
    trace_id: record.trace?.traceId,
    method: record.method,
    stream: record.stream,
    protocol: record.protocol,
    peer_address: record.peerAddress,
    key_id: record.keyId,
    account_id: record.accountId,
    user: record.user,
    labels: nonEmpty(record.labels),
    route: record.route || undefined,
    model: record.model,
    provider: record.provider,
    profile: record.profile || undefined,
    outcome: record.outcome,
    status: error === undefined ? "OK" : error.status,
    reason: record.reason,
    error: error && failureFields(error, attempts.map((attempt) => failures.get(attempt)?.request).find(Boolean)),
    notes: record.notes.length === 0 ? undefined : record.notes,
    start_time: record.startTime.toISOString(),
    duration_ms: round(record.durationMs),
    first_output_ms: record.firstOutputMs === undefined ? undefined : round(record.firstOutputMs),
    overhead_ms: record.upstreamMs === undefined ? undefined : round(record.durationMs - record.upstreamMs),
    queue_ms: queueMs(attempts),
    ...(record.usage === undefined ? undefined : usageFacts(record.usage)),
    attempts: attempts.map((attempt) => {
      const facts = attemptFacts(attempt, failures.get(attempt));
      // The usage of the only attempt is that of the call.
      return attempts.length > 1 && attempt.usage ? { ...facts, ...usageFacts(attempt.usage) } : facts;
    }),
  };
}

/** Returns the time that all attempts together waited in queues. Undefined: none waited. */
function queueMs(attempts: readonly Attempt[]): number | undefined {
  let sum: number | undefined;
  for (const { queueDuration } of attempts) {
    if (queueDuration !== undefined) sum = (sum ?? 0) + durationMs(queueDuration);
  }
  return sum === undefined ? undefined : round(sum);
}

function usageFacts(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    cached_input_tokens: usage.cachedInputTokens,
    cache_write_input_tokens: usage.cacheWriteInputTokens,
    reasoning_tokens: usage.reasoningTokens,
    accepted_prediction_tokens: usage.acceptedPredictionTokens,
    rejected_prediction_tokens: usage.rejectedPredictionTokens,
    cache_write_1h_input_tokens: usage.cacheWrite1hInputTokens,
    audio_input_tokens: usage.audioInputTokens,
    audio_output_tokens: usage.audioOutputTokens,
    image_input_tokens: usage.imageInputTokens,
    image_output_tokens: usage.imageOutputTokens,
    server_tool_requests: nonEmpty(usage.serverToolRequests),
    cost_nanos: usage.cost === undefined ? undefined : Number(usage.cost.totalNanos),
    cost_source: usage.cost === undefined ? undefined : sources[usage.cost.source],
    usage_quality: qualities[usage.quality],
  };
}

const qualities = {
  [UsageQuality.UNSPECIFIED]: "unspecified",
  [UsageQuality.EXACT]: "exact",
  [UsageQuality.ESTIMATED]: "estimated",
  [UsageQuality.PARTIAL]: "partial",
} as const satisfies Record<UsageQuality, string>;

const sources = {
  [CostSource.UNSPECIFIED]: undefined,
  [CostSource.PROVIDER]: "provider",
  [CostSource.PRICE_TABLE]: "price_table",
  [CostSource.CONFIGURATION]: "configuration",
} as const satisfies Record<CostSource, string | undefined>;

const outcomes = {
  [AttemptOutcome.UNSPECIFIED]: undefined,
  [AttemptOutcome.ANSWERED]: "answered",
  [AttemptOutcome.FAILED]: "failed",
  [AttemptOutcome.ABANDONED]: "abandoned",
} as const satisfies Record<AttemptOutcome, string | undefined>;

/** Omits the empty fields of an attempt. */
function attemptFacts(attempt: Attempt, failure: Failure | undefined) {
  return {
    target: attempt.target || undefined,
    provider: attempt.provider,
    provider_model: attempt.providerModel,
    credential: attempt.credential || undefined,
    service_tier: attempt.serviceTier || undefined,
    choice_index: attempt.choiceIndex,
    outcome: outcomes[attempt.outcome],
    failure_reason: attempt.failureReason || undefined,
    error: failure && failureFields(failure.error, failure.request),
    http_status: attempt.httpStatus || undefined,
    provider_request_id: attempt.providerRequestId || undefined,
    provider_response_id: attempt.providerResponseId || undefined,
    start_ms: ms(attempt.startOffset),
    first_output_ms: ms(attempt.firstOutputDuration),
    duration_ms: ms(attempt.duration),
    queue_ms: ms(attempt.queueDuration),
  };
}

/** Returns undefined for a map without entries. */
function nonEmpty<Value>(map: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> | undefined {
  for (const _ in map) return map;
  return undefined;
}

function ms(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : round(durationMs(duration));
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

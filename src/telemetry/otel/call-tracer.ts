import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  type Attributes,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { type GatewayError, reasons, type StatusName } from "../../errors.ts";
import { type Attempt, AttemptOutcome } from "../../gen/dragoman/v1/attempt_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { CallTracer } from "../../ledger/call-tracer.ts";
import type { CallRecord, Operation } from "../../ledger/record.ts";
import type { SentRequest } from "../../ledger/sent-request.ts";
import type { StateChange } from "../../routing/target-view.ts";
import type { TraceContext } from "../../trace-context.ts";
import { attemptOutcomes } from "../metrics/call-metrics.ts";
import { type GenAiNames, genAiProvider, own, stable } from "./conventions.ts";
import { rpcOf } from "./rpc-methods.ts";

/** Spans of a call that is recorded. */
interface CallSpans {
  readonly span: Span;
  /** Attempts that have begun, in order. */
  readonly attempts: Attempt[];
}

/** Statuses that are errors of the server: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ */
const serverErrors: ReadonlySet<StatusName> = new Set([
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
]);

/** Tracer of calls, which also hears about the states of targets. */
export interface SpanMaker extends CallTracer {
  /** Adds the change to the span of the call that caused it: the next one whose attempt at the target ends. */
  stateChanged(change: StateChange): void;
}

/**
 * Makes a SERVER span for each call, with a CLIENT span for each of its upstream requests. A call that is not recorded
 * costs one span without attributes: its attempts pass on the context of the call.
 */
export function createCallTracer(tracer: Tracer, names: GenAiNames, providerOf: (name: string) => string): SpanMaker {
  const calls = new Map<string, CallSpans>();
  const attemptSpans = new WeakMap<Attempt, Span>();
  const changes = new Map<string, StateChange>();

  return {
    beginCall(call, caller) {
      const rpc = rpcOf(call);
      const span = tracer.startSpan(rpc?.method ?? call.method, { kind: SpanKind.SERVER }, contextOf(caller));
      if (span.isRecording()) {
        span.setAttributes({
          ...(rpc && { [stable.rpcSystem]: rpc.system, [stable.rpcMethod]: rpc.method }),
          [own.callId]: call.id,
          [own.requestId]: call.requestId,
          [own.protocol]: call.protocol,
          ...(call.peerAddress !== "" && { [stable.peerAddress]: call.peerAddress }),
        });
        calls.set(call.id, { span, attempts: [] });
      }
      return traceContextOf(span);
    },
    beginAttempt(call, attempt, request, baseUrl) {
      const spans = calls.get(call.id);
      if (spans === undefined) return call.trace;
      noteOrder(spans, attempt);
      spans.attempts.push(attempt);
      const { operation = "chat" } = call;
      const span = tracer.startSpan(
        `${operation} ${attempt.providerModel}`,
        {
          kind: SpanKind.CLIENT,
          attributes: {
            ...requestAttributes(names, operation, attempt, request, providerOf),
            ...serverAttributes(baseUrl),
          },
        },
        trace.setSpan(ROOT_CONTEXT, spans.span),
      );
      attemptSpans.set(attempt, span);
      return traceContextOf(span);
    },
    firstOutput(call, elapsedMs) {
      const time = call.startTime.getTime() + elapsedMs;
      calls.get(call.id)?.span.addEvent("first_output", undefined, time);
    },
    attempt(call, attempt) {
      const change = changes.get(attempt.target);
      if (change !== undefined) {
        changes.delete(attempt.target);
        calls.get(call.id)?.span.addEvent("breaker", changeAttributes(change));
      }
      const span = attemptSpans.get(attempt);
      if (span === undefined) return;
      span.setAttributes(responseAttributes(names, attempt));
      if (attempt.outcome === AttemptOutcome.FAILED) {
        span.setAttribute(stable.errorType, attempt.failureReason);
        span.setStatus({ code: SpanStatusCode.ERROR, message: attempt.failureReason });
      }
      span.end();
    },
    settled(record, error) {
      const spans = calls.get(record.id);
      if (spans === undefined) return undefined;
      calls.delete(record.id);
      const { span } = spans;
      span.setAttributes(recordAttributes(record, error));
      if (error !== undefined && serverErrors.has(error.status)) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.reason });
      }
      span.end();
      return undefined;
    },
    stateChanged(change) {
      if (change.key === undefined) changes.set(change.target, change);
    },
  };
}

/** Adds an event that says why a further attempt begins. */
function noteOrder({ span, attempts }: CallSpans, next: Attempt): void {
  const last = attempts.at(-1);
  if (last === undefined) return;
  if (last.outcome === AttemptOutcome.UNSPECIFIED) {
    // With one request per choice, all begin together.
    if (next.choiceIndex === undefined) span.addEvent("hedge", { [own.target]: next.target });
    return;
  }
  const reason = { [own.reason]: last.failureReason };
  if (last.target === next.target) {
    const credential = next.credential === "" ? undefined : { [own.credential]: next.credential };
    span.addEvent("retry", { [own.target]: next.target, ...credential, ...reason });
  } else {
    span.addEvent("fallback", { "dragoman.from": last.target, "dragoman.to": next.target, ...reason });
  }
}

function contextOf(caller: TraceContext | undefined) {
  if (caller === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled, state } = caller;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state !== "" && { traceState: createTraceState(state) }),
  });
}

function traceContextOf(span: Span): TraceContext {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  return { traceId, spanId, isSampled, state: traceState?.serialize() ?? "" };
}

function requestAttributes(
  names: GenAiNames,
  operation: Operation,
  { provider, providerModel, target, credential, choiceIndex }: Attempt,
  request: SentRequest,
  providerOf: (name: string) => string,
): Attributes {
  const isChat = request.$typeName === "dragoman.v1.ChatRequest";
  const parameters = isChat ? request.parameters : undefined;
  return withValues({
    [names.operation]: operation,
    [names.provider]: genAiProvider(providerOf(provider)),
    [names.requestModel]: providerModel,
    [names.maxTokens]: parameters?.maxOutputTokens,
    [names.temperature]: parameters?.temperature,
    [names.topP]: parameters?.topP,
    [names.topK]: parameters?.topK,
    [names.choices]: parameters?.n === 1 ? undefined : parameters?.n,
    [names.dimensions]: isChat ? undefined : request.dimensions,
    [own.provider]: provider,
    [own.target]: target,
    [own.credential]: credential || undefined,
    [own.choice]: choiceIndex,
  });
}

/** Returns the provider's host, also if a proxy is in between, and the port. */
export function serverAttributes(baseUrl: string | undefined): Attributes {
  const url = baseUrl === undefined ? null : URL.parse(baseUrl);
  if (url === null) return {};
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  // A URL has IPv6 addresses in brackets.
  return { [stable.serverAddress]: url.hostname.replace(/^\[|\]$/g, ""), [stable.serverPort]: port };
}

function responseAttributes(names: GenAiNames, attempt: Attempt): Attributes {
  const { firstOutputDuration: first, queueDuration: queue, usage } = attempt;
  return withValues({
    [names.responseId]: attempt.providerResponseId || undefined,
    [names.firstChunkSeconds]: first && durationMs(first) / 1000,
    [own.queueSeconds]: queue && durationMs(queue) / 1000,
    [own.outcome]: attemptOutcomes[attempt.outcome],
    [own.reason]: attempt.failureReason || undefined,
    [own.serviceTier]: attempt.serviceTier || undefined,
    [own.providerRequestId]: attempt.providerRequestId || undefined,
    [stable.httpStatus]: attempt.httpStatus || undefined,
    ...(usage && usageAttributes(names, usage)),
  });
}

function usageAttributes(names: GenAiNames, usage: Usage): Record<string, number | undefined> {
  return {
    [names.inputTokens]: usage.inputTokens,
    [names.outputTokens]: usage.outputTokens,
    [names.cacheReadTokens]: usage.cachedInputTokens,
    [names.cacheWriteTokens]: usage.cacheWriteInputTokens,
    [names.reasoningTokens]: usage.reasoningTokens,
    [own.costUsd]: usage.cost && Number(usage.cost.totalNanos) / 1e9,
  };
}

function recordAttributes(record: CallRecord, error: GatewayError | undefined): Attributes {
  const { outcome, reason, route, model, provider, attempts, durationMs: totalMs, upstreamMs, usage } = record;
  const isRpc = rpcOf(record) !== undefined;
  return withValues({
    [stable.rpcStatus]: isRpc ? (error?.status ?? "OK") : undefined,
    [stable.httpStatus]: isRpc ? undefined : error === undefined ? 200 : reasons[error.reason].http,
    [stable.errorType]: error?.reason,
    [own.outcome]: outcome,
    [own.reason]: reason,
    [own.route]: route || undefined,
    [own.model]: model || undefined,
    [own.provider]: provider || undefined,
    [own.attempts]: attempts.length,
    [own.overheadSeconds]: upstreamMs === undefined ? undefined : (totalMs - upstreamMs) / 1000,
    [own.costUsd]: usage?.cost && Number(usage.cost.totalNanos) / 1e9,
  });
}

function changeAttributes({ target, from, to, reason }: StateChange): Attributes {
  return withValues({
    [own.target]: target,
    "dragoman.from": from,
    "dragoman.to": to,
    [own.reason]: reason || undefined,
  });
}

/** Omits attributes without a value. */
function withValues(attributes: Readonly<Record<string, string | number | undefined>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { UpstreamTime } from "../../src/calls/upstream-time.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { OtelSettings } from "../../src/config/telemetry.ts";
import { AttemptOutcome, AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { CallObserver } from "../../src/ledger/call-observer.ts";
import type { CallTracer } from "../../src/ledger/call-tracer.ts";
import type { CallRecord, ObservedCall } from "../../src/ledger/record.ts";
import { Rejections } from "../../src/load/rejections.ts";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import { createCallLog } from "../../src/telemetry/call-log.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { openTelemetry } from "../../src/telemetry/telemetry.ts";
import { readTraceContext } from "../../src/trace-context.ts";
import { announcedPort, ProcessGroup } from "../processes.ts";
import { atMost, describeMachine, type Figure, formatSection } from "../report.ts";
import { summarize } from "../statistics.ts";

/**
 * `npm run bench -- --telemetry`: CPU time of this process that the log, metrics and traces add to a call with one attempt. The
 * calls are events alone, so that nothing else is measured. With sampling, it includes the export.
 */
const rounds = 7;
const callsPerRound = process.argv.includes("--quick") ? 20_000 : 100_000;

const request = create(ChatRequestSchema, { model: "openai/gpt-4o", parameters: { maxOutputTokens: 100 } });
const usage = create(UsageSchema, {
  inputTokens: 60,
  outputTokens: 100,
  totalTokens: 160,
  cost: { totalNanos: 1000n },
});
const target = { provider: "openai", providerModel: "gpt-4o", target: "openai/gpt-4o" };
const startTime = new Date();
const headers = new Map([["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"]]);

interface Parts {
  readonly observers: readonly CallObserver[];
  readonly tracer?: CallTracer | undefined;
  /** Whether the caller sends a trace context. */
  readonly hasCaller: boolean;
}

/** Plays the events of a call. Without observers and tracer, it is what the others are compared with. */
function playCall(index: number, { observers, tracer, hasCaller }: Parts): void {
  const call: ObservedCall & { trace?: CallRecord["trace"] } = {
    ...{ id: `chatcmpl-${index}`, requestId: "request", method: "StreamChat", mayCost: true, protocol: "grpc" },
    ...{ peerAddress: "192.0.2.1", startTime },
  };
  const measured = tracer !== undefined || observers.length > 0;
  const caller = measured
    ? readTraceContext({ get: (name) => (hasCaller ? (headers.get(name) ?? null) : null) })
    : undefined;
  call.trace = tracer?.beginCall(call, caller) ?? caller;
  for (const observer of observers) observer.begin?.(call);
  const attempt = create(AttemptSchema, { ...target, duration: durationFromMs(700) });
  const time = measured ? new UpstreamTime() : undefined;
  time?.begin(attempt);
  tracer?.beginAttempt(call, attempt, request, "https://api.openai.com/v1");
  for (const observer of observers) observer.firstOutput?.(call, 300);
  tracer?.firstOutput?.(call, 300);
  attempt.outcome = AttemptOutcome.ANSWERED;
  attempt.usage = usage;
  time?.end(attempt);
  for (const observer of observers) observer.attempt?.(call, attempt);
  tracer?.attempt?.(call, attempt);
  const record: CallRecord = {
    ...call,
    ...{ keyId: "", accountId: "", user: "", labels: {}, route: "", model: "openai/gpt-4o", provider: "openai" },
    ...{ profile: "plain", outcome: "ok", reason: undefined, usage, notes: [], attempts: [attempt] },
    ...{ durationMs: 800, firstOutputMs: 300, upstreamMs: time && 799 },
  };
  for (const observer of observers) observer.settled?.(record, undefined);
  tracer?.settled?.(record, undefined);
}

async function measure(parts: Parts, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) {
    playCall(index, parts);
    // The export needs turns of the event loop, as in the service.
    if (index % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const nothing: Parts = { observers: [], hasCaller: false };

/** Measures in pairs with calls that nobody observes, since the speed of the machine changes. */
async function added(name: string, parts: Parts, budget?: number): Promise<Figure> {
  await measure(parts, callsPerRound);
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await measure(nothing, callsPerRound);
    values.push((await measure(parts, callsPerRound)) - without);
  }
  return { name, unit: "µs", value: summarize(values), ...(budget !== undefined && { budget: atMost(budget) }) };
}

const config = loadConfig({ environment: {}, providers, dialects, models: listedModels({}) });
const log = createLog("silent", { write: () => undefined });
const processes = new ProcessGroup(mkdtempSync(join(tmpdir(), "dragoman-bench-")));
const collector = processes.start("collector", [new URL("collector.ts", import.meta.url).pathname], { channel: true });
const port = await announcedPort(collector);

async function open(sampler?: OtelSettings["sampler"]) {
  const otel: OtelSettings | undefined = sampler && {
    traces: { url: `http://127.0.0.1:${port}/v1/traces`, headers: {} },
    ...{ metrics: undefined, sampler, resource: {}, metricIntervalMs: 60_000, conventions: "1.41" },
  };
  const telemetry = { ...config.telemetry, otel };
  return openTelemetry({ ...config, telemetry }, { rejections: new Rejections(() => undefined) }, log);
}

const metrics = await open();
const off = await open({ name: "parentbased_traceidratio", ratio: 0 });
const on = await open({ name: "always_on", ratio: 1 });
const callLog = createCallLog(createLog("info", { write: () => undefined }));
const figures = [
  await added("the line of the call in the log, without writing it", { observers: [callLog], hasCaller: false }, 6),
  await added("metrics", { ...metrics, hasCaller: false }, 2),
  await added("metrics, with a trace of the caller", { ...metrics, hasCaller: true }, 2),
  await added("metrics and traces, sampling 0", { ...off, hasCaller: false }, 5),
  await added("metrics and traces, the caller's trace is not sampled", { ...off, hasCaller: true }, 5),
  await added("metrics and traces, sampling 1, with the export", { ...on, hasCaller: false }),
];
console.log(describeMachine());
console.log(formatSection({ title: "Telemetry: CPU time that it adds to a call", figures }));
for (const telemetry of [metrics, off, on]) await telemetry.stop();
await processes.stop();

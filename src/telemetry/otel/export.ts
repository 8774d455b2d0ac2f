import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { DiagLogLevel, diag, type HrTime } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { emptyResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, type MetricProducer, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { OtelSettings, OtlpEndpoint } from "../../config/telemetry.ts";
import type { CallObserver } from "../../ledger/call-observer.ts";
import type { RoutingView } from "../../routing/target-view.ts";
import type { Log } from "../log.ts";
import type { LabelNames } from "../metrics/label-names.ts";
import type { Family } from "../metrics/metrics.ts";
import { SampledLog } from "../sampled-log.ts";
import { createCallTracer, type SpanMaker } from "./call-tracer.ts";
import { genAiNames } from "./conventions.ts";
import { createConventionMetrics } from "./gen-ai-metrics.ts";
import { toMetricData } from "./metric-data.ts";

const scopeName = "dragoman";

/** Longest time in ms that the process waits at its end for the collector. */
const longestStopMs = 3_000;

/** Interval in ms between two log lines about problems of the export. */
const reportMs = 10_000;

/** Longest problem in characters that the log has: it can quote the collector. */
const longestProblem = 300;

/** What the export needs to know about names. */
interface Names {
  readonly labels: LabelNames;
  /** Returns the name of the provider whose API a provider has. */
  readonly providerOf: (name: string) => string;
}

/** Export of traces and metrics to a collector. */
export interface Export {
  readonly tracer: SpanMaker | undefined;
  readonly observers: readonly CallObserver[];
  /** Adds the changes of targets to spans. Returns the function that ends this. */
  follow(routing: RoutingView): () => void;
  stop(): Promise<void>;
}

export function openExport(settings: OtelSettings, families: readonly Family[], names: Names, log: Log): Export {
  reportProblems(log);
  const resource = resourceFromAttributes({ "service.instance.id": randomUUID(), ...settings.resource });
  const conventions = settings.metrics && createConventionMetrics(settings.conventions, names.labels, names.providerOf);
  const traces = settings.traces && openTraces(settings, settings.traces, resource);
  const metrics =
    settings.metrics &&
    openMetrics(settings, settings.metrics, resource, [...families, ...(conventions?.families ?? [])]);
  const tracer =
    traces && createCallTracer(traces.getTracer(scopeName), genAiNames(settings.conventions), names.providerOf);
  return {
    tracer,
    observers: conventions ? [conventions.observer] : [],
    follow: (routing) => (tracer ? routing.onChange((change) => tracer.stateChanged(change)) : () => undefined),
    async stop() {
      const ended = Promise.allSettled([traces?.shutdown(), metrics?.shutdown()]);
      await Promise.race([ended, delay(longestStopMs, undefined, { ref: false })]);
    },
  };
}

function openTraces(settings: OtelSettings, { url, headers }: OtlpEndpoint, resource: Resource): TracerProvider {
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers } });
  return new TracerProvider({
    resource,
    sampler: createSampler(settings.sampler),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
}

function openMetrics(
  { metricIntervalMs }: OtelSettings,
  { url, headers }: OtlpEndpoint,
  resource: Resource,
  families: readonly Family[],
): MeterProvider {
  const start = now();
  // The metrics have their values already: instruments of the SDK would count everything once more.
  const producer: MetricProducer = {
    async collect() {
      const metrics = toMetricData(families, start, now());
      const scopeMetrics = [{ scope: { name: scopeName }, metrics }];
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
    },
  };
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url, headers: { ...headers } }),
    exportIntervalMillis: metricIntervalMs,
    exportTimeoutMillis: Math.min(metricIntervalMs, 30_000),
    metricProducers: [producer],
  });
  return new MeterProvider({ resource, readers: [reader] });
}

function createSampler({ name, ratio }: OtelSettings["sampler"]): Sampler {
  switch (name) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return name satisfies never;
  }
}

/** Logs problems of the libraries, such as a collector that does not respond, at most one in ten seconds. */
function reportProblems(log: Log): void {
  const lines = new SampledLog(log, reportMs);
  const report = (text: string): void =>
    lines.write("", {
      level: "warn",
      fields: { problem: messageOf(text).slice(0, longestProblem) },
      message: "OpenTelemetry reports a problem; calls go on",
    });
  const ignore = (): void => undefined;
  diag.setLogger(
    { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** Returns the message of an error: the libraries report errors as JSON with a stack. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text);
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

function now(): HrTime {
  const ms = Date.now();
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
}

import type { Config } from "../config/config.ts";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallTracer } from "../ledger/call-tracer.ts";
import type { Log } from "./log.ts";
import { createCallMetrics } from "./metrics/call-metrics.ts";
import { createLabelNames } from "./metrics/label-names.ts";
import { createGatheredPage, createPage, type Page } from "./metrics/page.ts";
import { createProcessMetrics } from "./metrics/process-metrics.ts";
import { type MetricSnapshot, takeSnapshot, toFamilies } from "./metrics/snapshot.ts";
import { createStateMetrics, type MetricSources, type ObservedService } from "./metrics/state-metrics.ts";

/** Metrics and traces of the process. */
export interface Telemetry {
  readonly observers: readonly CallObserver[];
  /** Undefined: calls are not traced. */
  readonly tracer: CallTracer | undefined;
  readonly metricsPage: Page;
  /** Begins to read the state of the service. */
  follow(service: ObservedService): void;
  /** Lets the names of a configuration be labels, too. */
  setConfig(config: Config): void;
  /** Sends what is left to the collector, within a bounded time. */
  stop(): Promise<void>;
}

/** The metrics of this process and others, as one. */
export interface MetricsTogether {
  /** Returns the metrics of this process. */
  read: () => readonly MetricSnapshot[];
  gather(): Promise<readonly MetricSnapshot[]>;
}

/** Opens metrics, and if the configuration has a collector, OpenTelemetry, which is loaded only then. */
export async function openTelemetry(
  config: Config,
  sources: MetricSources,
  log: Log,
  together?: MetricsTogether,
): Promise<Telemetry> {
  const { maxAccountLabels, otel } = config.telemetry;
  const names = createLabelNames(config);
  const calls = createCallMetrics(names, maxAccountLabels);
  let service: ObservedService | undefined;
  const state = createStateMetrics(names, sources, () => service);
  const families = [...calls.families, ...state];
  const dialects = new Map<string, string>();
  const setDialects = ({ providers }: Config): void => {
    for (const { name, dialect } of providers) dialects.set(name, dialect);
  };
  setDialects(config);
  const providerOf = (name: string) => dialects.get(name) ?? name;
  const exporting =
    otel && (await import("./otel/export.ts")).openExport(otel, families, { labels: names, providerOf }, log);
  const all = [...families, ...createProcessMetrics()];
  if (together !== undefined) together.read = () => takeSnapshot(all);
  let unfollow: (() => void) | undefined;
  return {
    observers: [calls.observer, ...(exporting?.observers ?? [])],
    tracer: exporting?.tracer,
    metricsPage: together ? createGatheredPage(async () => toFamilies(await together.gather())) : createPage(all),
    follow(running) {
      service = running;
      unfollow = exporting?.follow(running.routing);
    },
    setConfig(next) {
      names.add(next);
      setDialects(next);
    },
    async stop() {
      unfollow?.();
      await exporting?.stop();
    },
  };
}

import type { Address } from "./address.ts";

/** Where one kind of telemetry goes. */
export interface OtlpEndpoint {
  /** URL with its path, such as `http://collector:4318/v1/traces`. */
  readonly url: string;
  /** Values may be secret and are never logged. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Samplers of OTEL_TRACES_SAMPLER. */
export const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** What OpenTelemetry's variables say. */
export interface OtelSettings {
  /** Undefined: no traces. */
  readonly traces: OtlpEndpoint | undefined;
  /** Undefined: no metrics by OTLP. */
  readonly metrics: OtlpEndpoint | undefined;
  readonly sampler: {
    /** Default `parentbased_always_on`. */
    readonly name: (typeof samplers)[number];
    /** Share of traces, for the samplers with a ratio. Default 1. */
    readonly ratio: number;
  };
  /** OTEL_RESOURCE_ATTRIBUTES with `service.name`, by default `dragoman`. */
  readonly resource: Readonly<Record<string, string>>;
  /** Interval in ms between two exports of metrics. Default 60,000. */
  readonly metricIntervalMs: number;
  /** Generation of the names of GenAI attributes (telemetry/otel/conventions.ts). Default `1.41`. */
  readonly conventions: "1.41" | "latest";
}

export interface TelemetrySettings {
  /** Address of a listener for the page `/metrics` alone. Undefined: the page is on the HTTP listener. */
  readonly metricsAddress: Address | undefined;
  /** Number of accounts that have metrics of their own. Default 0. */
  readonly maxAccountLabels: number;
  /** Undefined: OpenTelemetry is off, and is not loaded. */
  readonly otel: OtelSettings | undefined;
}

import { describe, expect, it } from "vitest";
import { describeConfig } from "../../src/config/describe.ts";
import { load, pathsOf, problemsOf } from "./harness.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };
const otelOf = (environment: Readonly<Record<string, string>>) => load("", environment).telemetry.otel;

describe("the section telemetry", () => {
  it("reads the address of the metrics and the number of accounts", () => {
    const { telemetry } = load("telemetry: { metrics_address: '[::1]:9090', max_account_labels: 10 }");
    expect(telemetry).toEqual({ metricsAddress: { host: "::1", port: 9090 }, maxAccountLabels: 10, otel: undefined });
  });

  it.each([
    ["metrics_address: 9090", "metrics_address"],
    ["max_account_labels: 1001", "max_account_labels"],
    ["max_account_labels: -1", "max_account_labels"],
  ])("rejects %s", (setting, name) => {
    expect(pathsOf(`telemetry: { ${setting} }`)).toEqual([`telemetry.${name}`]);
  });

  it.each(["on", "off"])("reads the switch trace_context: %s", (value) => {
    const yaml = `providers: { openai: { api_key: k, trace_context: ${value} } }`;
    expect(load(yaml).providers[0]?.sendsTrace).toBe(value === "on");
  });

  it("rejects trace_context for a provider that sends no requests", () => {
    expect(pathsOf("providers: { echo: { trace_context: on } }")).toEqual(["providers.echo.trace_context"]);
  });
});

describe("the variables of OpenTelemetry", () => {
  it("have defaults with an endpoint", () => {
    expect(otelOf(endpoint)).toEqual({
      traces: { url: "http://collector:4318/v1/traces", headers: {} },
      metrics: { url: "http://collector:4318/v1/metrics", headers: {} },
      sampler: { name: "parentbased_always_on", ratio: 1 },
      resource: { "service.name": "dragoman" },
      metricIntervalMs: 60_000,
      conventions: "1.41",
    });
  });

  it.each([
    ["no variable", {}],
    ["OTEL_SDK_DISABLED", { ...endpoint, OTEL_SDK_DISABLED: "TRUE" }],
    ["both exporters none", { ...endpoint, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" }],
    ["an empty endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["other variables without an endpoint", { OTEL_SERVICE_NAME: "a", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }],
  ])("leave it off with %s", (_, environment) => {
    expect(otelOf(environment)).toBeUndefined();
  });

  it("override the endpoint and add headers for one kind", () => {
    const otel = otelOf({
      ...endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example/custom",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a, x-tenant=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-tenant=2",
    });
    expect(otel?.traces).toEqual({
      url: "https://traces.example/custom",
      headers: { authorization: "Bearer a", "x-tenant": "2" },
    });
    expect(otel?.metrics?.headers).toEqual({ authorization: "Bearer a", "x-tenant": "1" });
  });

  it("select the sampler, the resource, the interval and the names", () => {
    const otel = otelOf({
      ...endpoint,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
      OTEL_SERVICE_NAME: "gateway",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=other,team=a%2Cb",
      OTEL_METRIC_EXPORT_INTERVAL: "5000",
      OTEL_SEMCONV_STABILITY_OPT_IN: "http, gen_ai_latest_experimental",
    });
    expect(otel).toMatchObject({
      sampler: { name: "parentbased_traceidratio", ratio: 0.25 },
      resource: { "service.name": "gateway", team: "a,b" },
      metricIntervalMs: 5000,
      conventions: "latest",
    });
  });

  it.each([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:password@collector:4318"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no value"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%0d%0a"],
    ["OTEL_TRACES_EXPORTER", "jaeger"],
    ["OTEL_TRACES_SAMPLER", "sometimes"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5"],
    ["OTEL_RESOURCE_ATTRIBUTES", "%"],
    ["OTEL_METRIC_EXPORT_INTERVAL", "1s"],
  ])("reject %s=%s", (name, value) => {
    const problems = problemsOf(() => load("", { ...endpoint, [name]: value }));
    expect(problems.map(({ path }) => path)).toEqual([name]);
    expect(problems[0]?.fix).toMatch(/^write /);
  });

  it("are described without the values of headers", () => {
    const text = describeConfig(load("", { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret-word" }));
    expect(text).toContain("http://collector:4318/v1/traces");
    expect(text).toContain('authorization: "[hidden]"');
    expect(text).not.toContain("secret-word");
  });
});

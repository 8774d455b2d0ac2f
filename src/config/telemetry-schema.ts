import { validateHeaderName, validateHeaderValue } from "node:http";
import type { ZodType, z } from "zod";
import { addressForms, formatAddress, parseAddress } from "./address.ts";
import { Commented } from "./described.ts";
import { parseDecimal } from "./quantities.ts";
import { choice, leaf, section, wholeNumber } from "./rules.ts";
import { type OtelSettings, type OtlpEndpoint, samplers, type TelemetrySettings } from "./telemetry.ts";
import { yaml } from "./yaml.ts";

/** More accounts would be more series than Prometheus should get from one process. */
const mostAccountLabels = 1000;

/** Schema of the section `telemetry`. */
export const telemetrySchema = section({
  metrics_address: leaf({
    parse: parseAddress,
    problem: "is not an address",
    fix: "write host:port, such as 127.0.0.1:9090 or 0.0.0.0:9090",
    forms: addressForms,
    shown: true,
  }).optional(),
  max_account_labels: wholeNumber(0, mostAccountLabels).prefault(0),
});

/** Words that mean nothing else have no effect, as the specification says. */
const anyText = leaf({ parse: String, problem: "is not a text", fix: "write a text" });
const exporter = choice("otlp", "none");
const protocol = leaf({
  parse: (value) => (value === "http/protobuf" ? value : undefined),
  problem: "is not supported",
  fix: "write http/protobuf, and an endpoint for OTLP over HTTP, such as http://collector:4318",
  shown: true,
});
const sampler = choice(...samplers);
const ratio = leaf({
  parse: (value) => {
    const number = parseDecimal(value);
    return number !== undefined && number <= 1 ? number : undefined;
  },
  problem: "is not a share",
  fix: "write a number from 0 to 1, such as 0.01",
  shown: true,
});
const interval = wholeNumber(1);

function parseUrl(value: unknown): string | undefined {
  const url = URL.parse(typeof value === "string" ? value.trim() : "");
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  return url.username + url.password + url.search + url.hash === "" ? url.href : undefined;
}
const endpoint = leaf({
  parse: parseUrl,
  problem: "is not an http:// or https:// URL",
  fix: "write the URL of a collector, such as http://collector:4318; set credentials in OTEL_EXPORTER_OTLP_HEADERS",
});

/** Parses `name=value,name=value` with percent-encoded values, as W3C Baggage has it. */
function parsePairs(value: unknown): Readonly<Record<string, string>> | undefined {
  const pairs: Record<string, string> = {};
  for (const member of String(value).split(",")) {
    if (member.trim() === "") continue;
    const [, name = "", text = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(member) ?? [];
    if (name === "") return undefined;
    try {
      pairs[decodeURIComponent(name)] = decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }
  return pairs;
}

function parseHeaders(value: unknown): Readonly<Record<string, string>> | undefined {
  const pairs = parsePairs(value);
  try {
    for (const [name, text] of Object.entries(pairs ?? {})) {
      validateHeaderName(name);
      validateHeaderValue(name, text);
    }
    return pairs;
  } catch {
    return undefined;
  }
}
const pairsFix = "write name=value pairs, separated by commas, with percent-encoded values";
const otlpHeaders = leaf({ parse: parseHeaders, problem: "is not a list of headers", fix: pairsFix });
const attributes = leaf({ parse: parsePairs, problem: "is not a list of attributes", fix: pairsFix });

/** Reads a variable. Undefined: it is not set, or not valid, which is reported. */
type ReadVariable = <T>(schema: ZodType<T>, name: string) => T | undefined;

/** Resolves the section `telemetry` and the variables of OpenTelemetry. */
export function resolveTelemetry(
  { metrics_address, max_account_labels }: z.output<typeof telemetrySchema>,
  variable: ReadVariable,
): TelemetrySettings {
  return {
    metricsAddress: metrics_address,
    maxAccountLabels: max_account_labels,
    otel: resolveOtel(variable),
  };
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
function resolveOtel(variable: ReadVariable): OtelSettings | undefined {
  const isDisabled = variable(anyText, "OTEL_SDK_DISABLED");
  if (isDisabled?.toLowerCase() === "true") return undefined;
  const base = variable(endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT");
  const headers = variable(otlpHeaders, "OTEL_EXPORTER_OTLP_HEADERS") ?? {};

  function signal(name: "TRACES" | "METRICS", path: string): OtlpEndpoint | undefined {
    const own = variable(endpoint, `OTEL_EXPORTER_OTLP_${name}_ENDPOINT`);
    const url = own ?? (base && `${base.replace(/\/+$/, "")}${path}`);
    const ownHeaders = variable(otlpHeaders, `OTEL_EXPORTER_OTLP_${name}_HEADERS`) ?? {};
    if (url === undefined || variable(exporter, `OTEL_${name}_EXPORTER`) === "none") return undefined;
    variable(protocol, `OTEL_EXPORTER_OTLP_${name}_PROTOCOL`) ?? variable(protocol, "OTEL_EXPORTER_OTLP_PROTOCOL");
    return { url, headers: { ...headers, ...ownHeaders } };
  }

  const traces = signal("TRACES", "/v1/traces");
  const metrics = signal("METRICS", "/v1/metrics");
  if (traces === undefined && metrics === undefined) return undefined;
  const optIns = variable(anyText, "OTEL_SEMCONV_STABILITY_OPT_IN") ?? "";
  const isLatest = optIns.split(",").some((name) => name.trim() === "gen_ai_latest_experimental");
  const serviceName = variable(anyText, "OTEL_SERVICE_NAME");
  return {
    traces,
    metrics,
    sampler: {
      name: variable(sampler, "OTEL_TRACES_SAMPLER") ?? "parentbased_always_on",
      ratio: variable(ratio, "OTEL_TRACES_SAMPLER_ARG") ?? 1,
    },
    resource: {
      "service.name": "dragoman",
      ...variable(attributes, "OTEL_RESOURCE_ATTRIBUTES"),
      ...(serviceName && { "service.name": serviceName }),
    },
    metricIntervalMs: variable(interval, "OTEL_METRIC_EXPORT_INTERVAL") ?? 60_000,
    conventions: isLatest ? "latest" : "1.41",
  };
}

/** Describes the settings for `--check`. The file has no keys for those of the OTEL variables. */
export function describeTelemetry({ metricsAddress, maxAccountLabels, otel }: TelemetrySettings) {
  const describe = (place: OtlpEndpoint | undefined) =>
    place && {
      url: place.url,
      headers: Object.fromEntries(Object.keys(place.headers).map((name) => [name, "[hidden]"])),
    };
  const described = {
    metrics_address: metricsAddress && formatAddress(metricsAddress),
    max_account_labels: maxAccountLabels,
  };
  if (otel === undefined) return described;
  const fromVariables = {
    traces: describe(otel.traces),
    metrics: describe(otel.metrics),
    sampler: otel.sampler.name,
    ratio: otel.sampler.ratio,
    resource: otel.resource,
    metric_interval_ms: otel.metricIntervalMs,
    conventions: otel.conventions,
  };
  return new Commented(
    described,
    `OpenTelemetry, by the OTEL_ variables:\n${yaml().stringify(fromVariables).trimEnd()}`,
  );
}

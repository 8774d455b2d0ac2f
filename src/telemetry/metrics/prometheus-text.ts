import type { Exemplar, Family, HistogramSample } from "./metrics.ts";

/** Text form of metrics: Prometheus' own, or OpenMetrics, which has exemplars. */
export type TextForm = "prometheus" | "openmetrics";

/**
 * Writes metrics as text.
 *
 * Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * OpenMetrics: https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function toPrometheusText(families: readonly Family[], form: TextForm): string {
  const lines: string[] = [];
  for (const family of families) {
    const { name, type, help } = family.definition;
    // OpenMetrics names the family of a counter without the suffix of its value.
    const familyName = form === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${familyName} ${escaped(help)}`, `# TYPE ${familyName} ${type}`);
    if (isHistogram(family)) {
      for (const sample of family.samples()) writeHistogram(lines, family, sample, form);
    } else {
      for (const { labels, value } of family.samples()) {
        lines.push(`${name}${labelText(family.definition.labels, labels)} ${numberText(value)}`);
      }
    }
  }
  if (form === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

type HistogramFamily = Extract<Family, { readonly definition: { readonly type: "histogram" } }>;

export function isHistogram(family: Family): family is HistogramFamily {
  return family.definition.type === "histogram";
}

function writeHistogram(
  lines: string[],
  { definition }: HistogramFamily,
  { labels, counts, sum, exemplars }: HistogramSample,
  form: TextForm,
): void {
  const { name, buckets = [] } = definition;
  const own = labelText(definition.labels, labels);
  const start = own === "" ? "{" : `${own.slice(0, -1)},`;
  let count = 0;
  counts.forEach((inBucket, index) => {
    count += inBucket;
    const bound = buckets[index];
    const le = bound === undefined ? "+Inf" : form === "openmetrics" ? floatText(bound) : String(bound);
    const exemplar = form === "openmetrics" ? exemplars?.[index] : undefined;
    lines.push(`${name}_bucket${start}le="${le}"} ${count}${exemplar === undefined ? "" : exemplarText(exemplar)}`);
  });
  lines.push(`${name}_sum${own} ${numberText(sum)}`, `${name}_count${own} ${count}`);
}

function exemplarText({ traceId, spanId, value, timeMs }: Exemplar): string {
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${numberText(value)} ${timeMs / 1000}`;
}

function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  return `{${names.map((name, index) => `${name}="${escaped(values[index] ?? "").replaceAll('"', '\\"')}"`).join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

/** OpenMetrics writes bounds as floating-point numbers, so that their text is the same in every program. */
function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

import { type HrTime, ValueType } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import type { MetricDefinition } from "../metrics/definitions.ts";
import type { Family } from "../metrics/metrics.ts";
import { isHistogram } from "../metrics/prometheus-text.ts";

/** Returns the metrics in the form that OTLP exporters send: all values since `startTime`. */
export function toMetricData(families: readonly Family[], startTime: HrTime, endTime: HrTime): MetricData[] {
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  return families.flatMap((family): MetricData[] => {
    const { definition } = family;
    const point = <Value>(labels: readonly string[], value: Value) => ({
      ...{ startTime, endTime, value },
      attributes: Object.fromEntries(
        definition.labels.flatMap((name, index) => (labels[index] ? [[name, labels[index]]] : [])),
      ),
    });
    const descriptor = descriptorOf(definition);
    if (isHistogram(family)) {
      const dataPoints = [...family.samples()].map(({ labels, counts, sum }) =>
        point(labels, {
          buckets: { boundaries: [...(definition.buckets ?? [])], counts: [...counts] },
          count: counts.reduce((total, count) => total + count, 0),
          sum,
        }),
      );
      if (dataPoints.length === 0) return [];
      return [{ descriptor, aggregationTemporality, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
    }
    const dataPoints = [...family.samples()].map(({ labels, value }) => point(labels, value));
    if (dataPoints.length === 0) return [];
    const isSum = definition.type === "counter";
    return [
      isSum
        ? { descriptor, aggregationTemporality, dataPointType: DataPointType.SUM, dataPoints, isMonotonic: true }
        : { descriptor, aggregationTemporality, dataPointType: DataPointType.GAUGE, dataPoints },
    ];
  });
}

/**
 * Names a metric so that Prometheus, which adds the unit and `_total` to names of OTLP, gets the same name as from the
 * page `/metrics`.
 */
function descriptorOf({ name, help, type, unit }: MetricDefinition) {
  const isSeconds = /_seconds$/.test(name);
  const isWhole = !isSeconds && !name.includes("_usd") && unit !== "s";
  return {
    name: name.replace(/^dragoman_/, "dragoman.").replace(/_total$|_seconds$/, ""),
    description: help,
    unit: unit ?? (isSeconds ? "s" : ""),
    valueType: isWhole && type !== "histogram" ? ValueType.INT : ValueType.DOUBLE,
  };
}

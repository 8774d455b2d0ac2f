import type { MetricDefinition } from "./definitions.ts";
import type { Family, HistogramSample, NumberSample } from "./metrics.ts";
import { isHistogram } from "./prometheus-text.ts";

/** A metric with the values of one moment, which can be sent to another process. */
export interface MetricSnapshot {
  readonly definition: MetricDefinition;
  readonly numbers: readonly NumberSample[];
  readonly histograms: readonly HistogramSample[];
}

export function takeSnapshot(families: readonly Family[]): readonly MetricSnapshot[] {
  return families.map((family) => {
    const { definition } = family;
    return isHistogram(family)
      ? { definition, numbers: [], histograms: [...family.samples()] }
      : { definition, numbers: [...family.samples()] as NumberSample[], histograms: [] };
  });
}

/** Returns what a process leaves that has ended: what it counted. */
export function onlyCounts(snapshot: readonly MetricSnapshot[]): readonly MetricSnapshot[] {
  return snapshot.filter(({ definition }) => definition.type !== "gauge");
}

/** Returns the metrics of several processes together. */
export function mergeSnapshots(snapshots: readonly (readonly MetricSnapshot[])[]): readonly MetricSnapshot[] {
  const merged = new Map<string, MetricSnapshot>();
  for (const metric of snapshots.flat()) {
    const { name } = metric.definition;
    const known = merged.get(name);
    merged.set(name, known === undefined ? metric : mergeMetric(known, metric));
  }
  return [...merged.values()];
}

/** Returns metrics that have the values of a snapshot. */
export function toFamilies(snapshot: readonly MetricSnapshot[]): readonly Family[] {
  return snapshot.map(
    ({ definition, numbers, histograms }) =>
      ({ definition, samples: () => (definition.type === "histogram" ? histograms : numbers) }) as Family,
  );
}

function mergeMetric({ definition, ...one }: MetricSnapshot, other: MetricSnapshot): MetricSnapshot {
  const combine = combinations[definition.overProcesses ?? "sum"];
  return {
    definition,
    numbers: merge(one.numbers, other.numbers, (a, b) => ({ ...a, value: combine(a.value, b.value) })),
    histograms: merge(one.histograms, other.histograms, (a, b) => ({
      labels: a.labels,
      counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)),
      sum: a.sum + b.sum,
      exemplars: a.exemplars?.map((exemplar, index) => exemplar ?? b.exemplars?.[index]) ?? b.exemplars,
    })),
  };
}

const combinations = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min } as const;

function merge<Sample extends { readonly labels: readonly string[] }>(
  one: readonly Sample[],
  other: readonly Sample[],
  combine: (a: Sample, b: Sample) => Sample,
): readonly Sample[] {
  const samples = new Map(one.map((sample) => [JSON.stringify(sample.labels), sample]));
  for (const sample of other) {
    const key = JSON.stringify(sample.labels);
    const known = samples.get(key);
    samples.set(key, known === undefined ? sample : combine(known, sample));
  }
  return [...samples.values()];
}

import { describe, expect, it } from "vitest";
import type { MetricDefinition } from "../../../src/telemetry/metrics/definitions.ts";
import { Counter, Histogram, readWhenAsked } from "../../../src/telemetry/metrics/metrics.ts";
import { createPage } from "../../../src/telemetry/metrics/page.ts";
import { toPrometheusText } from "../../../src/telemetry/metrics/prometheus-text.ts";

const calls = { name: "calls_total", type: "counter", labels: ["model", "reason"], help: "Calls." } as const;
const time = { name: "time_seconds", type: "histogram", labels: ["model"], help: "Time.", buckets: [0.5, 2] } as const;

const counterOf = (...adds: readonly (readonly [number, string, string])[]): Counter => {
  const counter = new Counter(calls);
  for (const [amount, model, reason] of adds) counter.add(amount, model, reason);
  return counter;
};

describe("a counter", () => {
  it("adds up the amounts with the same labels", () => {
    expect(counterOf([1, "a", ""], [2, "a", "x"], [3, "a", ""], [4, "b", ""]).samples()).toEqual([
      { labels: ["a", ""], value: 4 },
      { labels: ["a", "x"], value: 2 },
      { labels: ["b", ""], value: 4 },
    ]);
  });

  it("tells labels apart that would be the same text when joined", () => {
    expect(counterOf([1, "a,b", "c"], [1, "a", "b,c"]).samples()).toHaveLength(2);
  });

  it("has a value without labels", () => {
    const counter = new Counter({ ...calls, labels: [] });
    counter.add(1);
    counter.add(2);
    expect(counter.samples()).toEqual([{ labels: [], value: 3 }]);
  });
});

describe("a histogram", () => {
  it("counts a value in the bucket whose bound it does not exceed", () => {
    const histogram = new Histogram(time);
    for (const value of [0, 0.5, 0.6, 2, 2.1]) histogram.observe(value, undefined, "a");
    expect(histogram.samples()).toEqual([{ labels: ["a"], counts: [2, 2, 1], sum: 5.2, exemplars: undefined }]);
  });

  it("keeps the latest trace of each bucket", () => {
    const histogram = new Histogram(time);
    histogram.observe(0.1, { traceId: "first", spanId: "s" }, "a");
    histogram.observe(0.2, { traceId: "second", spanId: "s" }, "a");
    histogram.observe(0.3, undefined, "a");
    const traces = histogram.samples()[0]?.exemplars?.map((exemplar) => exemplar?.traceId);
    expect(traces).toEqual(["second", undefined, undefined]);
  });
});

describe("the text of metrics", () => {
  it("has cumulative buckets, and escapes labels", () => {
    const histogram = new Histogram(time);
    histogram.observe(0.1, { traceId: "t", spanId: "s" }, 'a"\\\nb');
    histogram.observe(3, undefined, 'a"\\\nb');
    expect(toPrometheusText([histogram], "prometheus").split("\n")).toEqual([
      "# HELP time_seconds Time.",
      "# TYPE time_seconds histogram",
      'time_seconds_bucket{model="a\\"\\\\\\nb",le="0.5"} 1',
      'time_seconds_bucket{model="a\\"\\\\\\nb",le="2"} 1',
      'time_seconds_bucket{model="a\\"\\\\\\nb",le="+Inf"} 2',
      'time_seconds_sum{model="a\\"\\\\\\nb"} 3.1',
      'time_seconds_count{model="a\\"\\\\\\nb"} 2',
      "",
    ]);
  });

  it("has exemplars, families without _total and an end as OpenMetrics", () => {
    const histogram = new Histogram(time);
    histogram.observe(0.1, { traceId: "t", spanId: "s" }, "a");
    const text = toPrometheusText([counterOf([1, "a", ""]), histogram], "openmetrics");
    expect(text).toContain('# TYPE calls counter\ncalls_total{model="a",reason=""} 1\n');
    expect(text).toMatch(/le="0\.5"} 1 # \{trace_id="t",span_id="s"} 0\.1 \d+(\.\d+)?\n/);
    expect(text).toContain('le="2.0"} 1\n');
    expect(text.endsWith("\n# EOF\n")).toBe(true);
  });

  it("leaves out a value that is not known", () => {
    const gauge = { name: "files", type: "gauge", labels: [], help: "Files." } satisfies MetricDefinition;
    const text = toPrometheusText([readWhenAsked(gauge, () => undefined)], "prometheus");
    expect(text).toBe("# HELP files Files.\n# TYPE files gauge\n");
  });
});

describe("the page of metrics", () => {
  it("is written again after nine times the time that writing took", () => {
    let nowMs = 0;
    let written = 0;
    const gauge = readWhenAsked({ name: "n", type: "gauge", labels: [], help: "N." }, () => {
      nowMs += 10;
      return ++written;
    });
    const page = createPage([gauge], () => nowMs);
    const value = () => /^n (\d+)$/m.exec(page.render("").text)?.[1];
    expect(value()).toBe("1");
    nowMs += 89;
    expect(value()).toBe("1");
    nowMs += 1;
    expect(value()).toBe("2");
  });
});

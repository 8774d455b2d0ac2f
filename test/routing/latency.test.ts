import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Latency } from "../../src/routing/latency.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

const samples = (minLength: number) =>
  fc.array(fc.record({ ms: fc.nat(20_000), passMs: fc.nat(5_000) }), { minLength, maxLength: 400, size: "max" });

/** Returns a value of sorted numbers. */
function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)];
}

describe("the latency of a target", () => {
  test("has no average and no quantile before the first sample", () => {
    const latency = new Latency(new VirtualClock());
    expect([latency.average, latency.usual, latency.p95]).toEqual([undefined, undefined, undefined]);
  });

  test("counts a slower sample at once and a faster one slowly", () => {
    fc.assert(
      fc.property(samples(1), (list) => {
        const clock = new VirtualClock();
        const latency = new Latency(clock);
        for (const { ms, passMs } of list) {
          const before = latency.average;
          clock.pass(passMs);
          latency.observe(ms);
          const after = latency.average ?? 0;
          const slower = before === undefined || ms >= before;
          expect(after).toBeCloseTo(slower ? ms : ms + (before - ms) * Math.exp(-passMs / 10_000));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("has the quantiles of its latest 256 samples, at most an eighth of them too old", () => {
    fc.assert(
      fc.property(samples(1), (list) => {
        const latency = new Latency(new VirtualClock());
        const times: number[] = [];
        for (const { ms } of list) {
          latency.observe(ms);
          times.push(ms);
          if (times.length % 7 > 1) continue;
          const lag = Math.min(32, Math.floor(times.length / 8));
          const older = Array.from({ length: lag + 1 }, (_, back) => times.slice(0, times.length - back).slice(-256));
          expect(older.map((kept) => quantile(kept, 0.5))).toContain(latency.usual);
          if (times.length < 50) expect(latency.p95).toBeUndefined();
          else expect(older.map((kept) => quantile(kept, 0.95))).toContain(latency.p95);
        }
      }),
      { numRuns: 15 },
    );
  });

  test("counts a wait in vain for its average and not for its quantiles", () => {
    const clock = new VirtualClock();
    const latency = new Latency(clock);
    latency.observe(100);
    latency.observeWait(9_000);
    expect([latency.average, latency.usual]).toEqual([9_000, 100]);
    // A shorter one says nothing.
    clock.pass(5_000);
    latency.observeWait(50);
    expect([latency.average, latency.usual]).toEqual([9_000, 100]);
  });
});

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Sampled } from "../src/sampled.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Passed {
  readonly kind: string;
  readonly number: number;
  readonly omitted: number;
  readonly atMs: number;
}

function start(intervalMs = 1000) {
  const passed: Passed[] = [];
  const sampled = new Sampled<{ readonly kind: string; readonly number: number }>({
    intervalMs,
    pass: (event, omitted) => void passed.push({ ...event, omitted, atMs: Date.now() }),
  });
  return { passed, add: (kind: string, number: number) => sampled.add(kind, { kind, number }), sampled };
}

describe("sampled events", () => {
  it("passes on the first event at once, and then the newest of an interval with the number of the others", () => {
    const { passed, add } = start();
    for (let number = 1; number <= 5; number++) add("a", number);
    expect(passed).toMatchObject([{ number: 1, omitted: 0 }]);
    vi.advanceTimersByTime(1000);
    expect(passed.slice(1)).toMatchObject([{ number: 5, omitted: 3 }]);
  });

  it("passes on at most one event of a kind in an interval, counts every event, and ends with the newest", () => {
    const step = fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(1500));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, flushes) => {
        const { passed, add, sampled } = start();
        for (const [index, [kind, ms]] of steps.entries()) {
          add(kind, index);
          vi.advanceTimersByTime(ms);
        }
        if (flushes) sampled.flush();
        else vi.advanceTimersByTime(2000);
        expect(vi.getTimerCount()).toBe(0);
        for (const kind of new Set(steps.map(([name]) => name))) {
          const added = steps.flatMap(([name], index) => (name === kind ? [index] : []));
          const out = passed.filter((event) => event.kind === kind);
          expect(out.reduce((sum, { omitted }) => sum + 1 + omitted, 0)).toBe(added.length);
          expect(out.at(-1)?.number).toBe(added.at(-1));
          // A flush passes on the last event earlier.
          const gaps = out.slice(1, flushes ? -1 : undefined).map(({ atMs }, index) => atMs - (out[index]?.atMs ?? 0));
          expect(gaps.every((gap) => gap >= 1000)).toBe(true);
        }
      }),
    );
  });

  it("keeps no kind that was silent for an interval", () => {
    const { passed, add } = start();
    for (let kind = 0; kind < 1000; kind++) add(String(kind), kind);
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
    add("0", 1);
    expect(passed.at(-1)).toMatchObject({ kind: "0", number: 1, omitted: 0 });
  });
});

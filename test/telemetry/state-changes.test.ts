import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StateChange } from "../../src/routing/target-view.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { logStateChanges } from "../../src/telemetry/state-changes.ts";
import { RoutingViewInMemory } from "../support/routing-view.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly target: string;
  readonly key?: string;
  readonly to: string;
  readonly omitted?: number;
}

function start() {
  const lines: Line[] = [];
  const routing = new RoutingViewInMemory();
  const stop = logStateChanges(routing, createLog("info", { write: (line) => void lines.push(JSON.parse(line)) }));
  return { lines, routing, stop };
}

const anyChange: fc.Arbitrary<StateChange> = fc.oneof(
  fc.record({
    target: fc.constantFrom("a/1", "b/2"),
    from: fc.constantFrom("closed", "open", "half_open"),
    to: fc.constantFrom("closed", "open", "half_open"),
    reason: fc.constantFrom("", "PROVIDER_UNAVAILABLE"),
  }),
  fc.record({
    target: fc.constantFrom("a/1", "b/2"),
    key: fc.constantFrom("", "k"),
    from: fc.constantFrom("usable", "cooling"),
    to: fc.constantFrom("usable", "cooling"),
    reason: fc.constantFrom("", "PROVIDER_RATE_LIMITED"),
  }),
);

const subjectOf = ({ target, key }: { readonly target: string; readonly key?: string }) => `${target} ${key ?? "-"}`;

describe("the log of state changes", () => {
  it("warns about a target that opens and a key that is taken out, and informs about their return", () => {
    const { lines, routing } = start();
    const reason = "PROVIDER_UNAVAILABLE";
    const changes: readonly StateChange[] = [
      { target: "a/1", from: "closed", to: "open", reason, forMs: 5000.4 },
      { target: "a/1", from: "open", to: "half_open", reason: "" },
      { target: "a/1", from: "half_open", to: "closed", reason: "" },
      { target: "a/1", key: "k", from: "usable", to: "cooling", reason: "PROVIDER_RATE_LIMITED", forMs: 60_000 },
      { target: "a/1", key: "k", from: "cooling", to: "usable", reason: "" },
    ];
    for (const change of changes) {
      routing.emit(change);
      vi.advanceTimersByTime(1000);
    }
    const line = { time: expect.any(String), target: "a/1" };
    const [target, key] = ["target changed state", "key changed state"];
    expect(lines).toEqual([
      { ...line, level: "warn", msg: target, from: "closed", to: "open", reason, for_ms: 5000 },
      { ...line, level: "info", msg: target, from: "open", to: "half_open" },
      { ...line, level: "info", msg: target, from: "half_open", to: "closed" },
      {
        ...{ ...line, level: "warn", msg: key, key: "k", from: "usable", to: "cooling" },
        ...{ reason: "PROVIDER_RATE_LIMITED", for_ms: 60_000 },
      },
      { ...line, level: "info", msg: key, key: "k", from: "cooling", to: "usable" },
    ]);
  });

  it("has at most one line a second for each target and key, counts every change, and ends with the newest state", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyChange, fc.nat(1500)), { maxLength: 60 }), fc.boolean(), (steps, stops) => {
        const { lines, routing, stop } = start();
        for (const [change, ms] of steps) {
          routing.emit(change);
          vi.advanceTimersByTime(ms);
        }
        if (stops) stop();
        else vi.advanceTimersByTime(2000);
        expect(vi.getTimerCount()).toBe(0);
        for (const subject of new Set(steps.map(([change]) => subjectOf(change)))) {
          const changes = steps.map(([change]) => change).filter((change) => subjectOf(change) === subject);
          const logged = lines.filter((line) => subjectOf(line) === subject);
          const counts = logged.map(({ omitted = 0 }) => 1 + omitted);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(changes.length);
          expect(logged.at(-1)?.to).toBe(changes.at(-1)?.to);
          const times = logged.map(({ time }) => Date.parse(time));
          // The last line may come earlier, at the end of the log.
          const gaps = times.slice(1, stops ? -1 : undefined).map((time, index) => time - (times[index] ?? 0));
          expect(gaps.every((gap) => gap >= 1000)).toBe(true);
          for (const { level, to } of logged) expect(level).toBe(to === "open" || to === "cooling" ? "warn" : "info");
        }
      }),
    );
  });

  it("writes the first change at once, and nothing after its end", () => {
    const { lines, routing, stop } = start();
    routing.move("a/1", "open");
    expect(lines).toMatchObject([{ to: "open" }]);
    stop();
    routing.move("a/1", "closed");
    vi.advanceTimersByTime(2000);
    expect(lines).toHaveLength(1);
    expect(routing.listeners).toBe(0);
  });
});

import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { garbageCollector } from "../../src/load/garbage-collector.ts";

it("collects an object without references", async () => {
  const collect = garbageCollector();
  const garbage = (() => new WeakRef({ text: "x".repeat(1000) }))();
  // A new WeakRef keeps its object alive until the current job ends.
  await setImmediate();
  collect();
  expect(garbage.deref()).toBeUndefined();
});

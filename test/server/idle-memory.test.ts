import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { garbageCollector } from "../../src/server/idle-memory.ts";

it("the collector frees what nothing holds any more", async () => {
  const collect = garbageCollector();
  const garbage = (() => new WeakRef({ text: "x".repeat(1000) }))();
  // A weak reference holds its object until the job that made it is over.
  await setImmediate();
  collect();
  expect(garbage.deref()).toBeUndefined();
});

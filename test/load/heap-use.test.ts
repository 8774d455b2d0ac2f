import { setImmediate } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { expect, it } from "vitest";
import { garbageCollector } from "../../src/load/garbage-collector.ts";
import { HeapUse } from "../../src/load/heap-use.ts";

const collect = garbageCollector();
const mib = 2 ** 20;
/** Part of `heap_size_limit` that is not for the old generation. */
const youngBytes = 96 * mib;

/** Returns a bound of this many bytes above the present use. */
function boundAbove(bytes: number): HeapUse {
  collect();
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return new HeapUse((used + bytes) / (limit - youngBytes));
}

/** Allocates in the heap of V8: numbers that are no small integers need 8 bytes each. */
const allocate = (bytes: number): number[] => Array.from({ length: bytes / 8 }, (_, index) => index + 0.5);

it("rejects while objects in use exceed the share, and recovers without calls", async () => {
  const heap = boundAbove(32 * mib);
  let held: number[] | undefined = allocate(64 * mib);
  heap.sample(0);
  expect(heap.isExceeded()).toBe(true);
  expect(held).toHaveLength(8 * mib);
  held = undefined;
  await setImmediate();
  heap.sample(60_000);
  expect(heap.isExceeded()).toBe(false);
});

it("rejects nothing because of garbage", async () => {
  const heap = boundAbove(32 * mib);
  for (let round = 0; round < 4; round++) allocate(16 * mib);
  await setImmediate();
  heap.sample(0);
  expect(heap.isExceeded()).toBe(false);
});

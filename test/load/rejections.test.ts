import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type RejectionCount, Rejections } from "../../src/load/rejections.ts";

const reported: RejectionCount[] = [];
let rejections: Rejections;
beforeEach(() => {
  vi.useFakeTimers();
  reported.length = 0;
  rejections = new Rejections((count) => reported.push(count));
});
afterEach(() => {
  vi.useRealTimers();
});

function countMany(count: number): void {
  for (let index = 0; index < count; index++) rejections.count("OVERLOADED", "connections");
}

const counts = (): readonly number[] => reported.map(({ count }) => count);

describe("the count of rejections", () => {
  it("reports the first rejection at once and the others once a second", () => {
    countMany(1000);
    expect(reported).toEqual([{ reason: "OVERLOADED", bound: "connections", count: 1 }]);
    vi.advanceTimersByTime(1000);
    countMany(5);
    expect(counts()).toEqual([1, 999]);
    vi.advanceTimersByTime(1000);
    expect(counts()).toEqual([1, 999, 5]);
    vi.advanceTimersByTime(60_000);
    expect(counts()).toEqual([1, 999, 5]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("reports each reason and each bound by itself", () => {
    rejections.count("OVERLOADED", "connections");
    rejections.count("OVERLOADED", "bytes in flight");
    rejections.count("QUEUE_FULL", "connections");
    expect(counts()).toEqual([1, 1, 1]);
  });

  it("reports what is left when it is flushed", () => {
    countMany(8);
    rejections.flush();
    rejections.flush();
    expect(counts()).toEqual([1, 7]);
  });
});

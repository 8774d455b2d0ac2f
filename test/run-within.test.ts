import { describe, expect, it } from "vitest";
import { runWithin, TookTooLong } from "../src/run-within.ts";

/** Takes time, but no CPU time, like work on a machine whose CPU is busy. */
function waitFor(ms: number): string {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return "done";
}

function workFor(ms: number): string {
  const begin = process.threadCpuUsage().user;
  while (process.threadCpuUsage().user - begin < ms * 1_000);
  return "done";
}

describe("work with a timeout", () => {
  it("returns the result, or throws what the work throws", () => {
    expect(runWithin(1_000, () => "done")).toBe("done");
    const error = new Error("mine");
    expect(() =>
      runWithin(1_000, () => {
        throw error;
      }),
    ).toThrow(error);
  });

  it("stops work that takes too long, also if it waits", () => {
    expect(() => runWithin(20, () => workFor(10_000))).toThrow(TookTooLong);
    expect(() => runWithin(20, () => waitFor(10_000))).toThrow(TookTooLong);
  });

  it("gives work that waited for the CPU more time", () => {
    expect(runWithin(500, () => waitFor(600))).toBe("done");
  });
});

import { expect, it } from "vitest";
import { EventLoopLag } from "../../src/load/event-loop-lag.ts";

/** Returns after which of the samples the lag is beyond a bound of 100 ms. */
function exceeded(samples: readonly number[]): readonly boolean[] {
  const lag = new EventLoopLag(100);
  return samples.map((sample) => {
    lag.sample(sample);
    return lag.isExceeded();
  });
}

it("rejects nothing because of one or two pauses, however long", () => {
  expect(exceeded([5000])).toEqual([false]);
  expect(exceeded([0, 5000, 5000, 0, 0, 0, 5000, 0, 5000, 0])).not.toContain(true);
});

it("rejects while most of the last five samples are late", () => {
  expect(exceeded([101, 101, 101, 0, 0, 0])).toEqual([false, false, true, true, true, false]);
  expect(exceeded([101, 0, 101, 0, 101, 0])).toEqual([false, false, false, false, true, false]);
});

it("accepts a lag of exactly the bound", () => {
  expect(exceeded([100, 100, 100, 100, 100])).not.toContain(true);
});

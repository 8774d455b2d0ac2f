import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { defaultBreaker } from "../../src/config/route.ts";
import { KeyUse } from "../../src/routing/keys.ts";
import { StartedAttempt } from "../../src/routing/started-attempt.ts";
import { TargetState } from "../../src/routing/target-state.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

test("an attempt that cannot be started frees the trial of a half-open target", () => {
  const clock = new VirtualClock();
  const state = new TargetState("openai/one", {
    clock,
    breaker: { ...defaultBreaker, consecutive: 1 },
    random: () => 0,
    onChange: () => {},
    useOf: () => new KeyUse(clock),
  });
  state.breaker.fail(state.breaker.begin());
  clock.pass(5_000);
  const [key] = state.keysFor([]);
  if (key === undefined) throw new Error("a target without keys has the empty one");
  const { signal } = new AbortController();
  const start = () => {
    throw new Error("a fault");
  };
  const limits = { firstOutputMs: 100, shareMs: 100, attemptMs: 100, idleMs: 0 };
  const options = { whole: false, commitsWhole: false, canBeCut: true, limits };
  const begin = () =>
    new StartedAttempt({ state, key, signal, clock }, start, {
      ...options,
      checkSize: () => {},
      mayGiveWay: async () => false,
      further: () => 0,
    });
  expect(begin).toThrow("a fault");
  expect(state.breaker.isUsable).toBe(true);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  expect(clock.pending).toBe(0);
});

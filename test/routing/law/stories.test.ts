import { expect, test } from "vitest";
import { defaultBreaker, plainRules } from "../../../src/config/route.ts";
import type { Reason } from "../../../src/errors.ts";
import { check } from "./laws.ts";
import { isKeyFailure } from "./model.ts";
import { play } from "./play.ts";
import type { Behavior, Script, ScriptedCall, ScriptedRoute, ScriptedTarget } from "./script.ts";
import type { Trace } from "./trace.ts";

const answer: Behavior = { queueMs: 0, firstMs: 10, gapsMs: [], end: { kind: "complete" } };
const stall: Behavior = { ...answer, firstMs: Number.POSITIVE_INFINITY };

function failure(
  reason: Reason,
  more: { retryAfterMs?: number; when?: "before" | "after"; firstMs?: number } = {},
): Behavior {
  const { retryAfterMs, when = "before", firstMs = 10 } = more;
  const end = { kind: "fail" as const, when, reason, retryAfterMs, retryHere: true, isInterruption: false };
  return { queueMs: 0, firstMs, gapsMs: [10], end };
}

function target(behaviors: readonly Behavior[], keys = 0): ScriptedTarget {
  return { keys, provider: 0, windowTokens: 0, cost: undefined, weight: 1, behaviors };
}

/** Plays calls of one route that has one target in each tier, and checks all laws. */
async function story(
  targets: readonly ScriptedTarget[],
  rules: Partial<ScriptedRoute["rules"]>,
  calls: readonly Partial<ScriptedCall>[],
): Promise<Trace> {
  const script: Script = {
    seed: 1,
    startMs: 0,
    merges: true,
    breaker: { ...defaultBreaker, consecutive: 1_000, minCalls: 1_000 },
    targets,
    routes: [
      {
        tiers: targets.map((_, index) => ({ balance: "order", targets: [index] })),
        rules: { ...plainRules, maxAttempts: 8, ...rules },
      },
    ],
    calls: calls.map((call) => ({
      startMs: 0,
      route: 0,
      deadlineMs: 10_000,
      cancelMs: undefined,
      whole: false,
      canHedge: true,
      conversation: undefined,
      unplannable: [],
      obstacles: [],
      looksFirst: false,
      planMs: 0,
      ...call,
    })),
  };
  const trace = await play(script);
  check(trace);
  return trace;
}

const many = (count: number): Partial<ScriptedCall>[] => Array.from({ length: count }, () => ({}));

test("forty calls that fail at once make ten retries in a second", async () => {
  const rules = { maxPerTarget: 2, retryBudget: 0, backoff: { initialMs: 0, maxMs: 0 } };
  const { attempts } = await story([target([failure("PROVIDER_UNAVAILABLE")])], rules, many(40));
  expect(attempts).toHaveLength(50);
});

test("two calls whose keys are limited at the same time come to an end", async () => {
  const targets = [target([failure("PROVIDER_RATE_LIMITED")], 2), target([answer])];
  const { calls } = await story(targets, {}, many(2));
  expect(calls.map(({ ends }) => ends[0]?.error)).toEqual([undefined, undefined]);
});

test("a rate limit after the first output takes the key out of use", async () => {
  const targets = [
    target([failure("PROVIDER_RATE_LIMITED", { when: "after", retryAfterMs: 5_000 })], 1),
    target([answer]),
  ];
  const { attempts } = await story(targets, {}, [{}, { startMs: 1_000 }, { startMs: 6_000 }]);
  expect(attempts.map((attempt) => attempt.target)).toEqual([0, 1, 0]);
});

test("a call does not wait for a provider that requests it while another target can be asked", async () => {
  const targets = [target([failure("PROVIDER_UNAVAILABLE", { retryAfterMs: 3_000 })]), target([answer])];
  const { attempts } = await story(targets, {}, [{}]);
  expect(attempts.map(({ target, start }) => [target, start.ms])).toEqual([
    [0, 0],
    [1, 10],
  ]);
});

test("a hedge that fails in the turn in which it loses is not asked again", async () => {
  const first = failure("PROVIDER_UNAVAILABLE", { when: "after", firstMs: 30 });
  const targets = [target([first]), target([failure("QUEUE_FULL", { firstMs: 20 })])];
  const rules = { maxPerTarget: 2, hedge: { after: 10, budget: 1 } };
  const { attempts } = await story(targets, rules, [{ whole: true }]);
  expect(attempts.map((attempt) => attempt.target)).toEqual([0, 1, 0]);
});

test("both attempts of a hedge may have their first output in one turn", async () => {
  const rules = { hedge: { after: 10, budget: 1 } };
  const targets = [target([{ ...answer, firstMs: 20 }]), target([answer])];
  for (const whole of [true, false]) {
    const { calls } = await story(targets, rules, [{ whole }]);
    expect(calls[0]?.attempts).toHaveLength(2);
    expect(calls[0]?.ends[0]?.error).toBeUndefined();
  }
});

test("a call walks through all keys without backoff, and then waits for the one that is free first", async () => {
  const limits = [500, 300, 900].map((retryAfterMs) => failure("PROVIDER_RATE_LIMITED", { retryAfterMs }));
  const { attempts } = await story([target([...limits, answer], 3)], {}, [{}]);
  expect(attempts.filter(isKeyFailure).map(({ start }) => start.ms)).toEqual([0, 10, 20]);
  expect(attempts.at(-1)?.key).toBe(attempts[1]?.key);
  expect(attempts.at(-1)?.start.ms).toBeGreaterThanOrEqual(320);
});

test("a target that is too slow for a call is not asked first, but from time to time for a share of the time", async () => {
  const targets = [target([{ ...answer, firstMs: 1_500 }]), target([answer])];
  const short = [2_000, 13_000, 14_000].map((startMs) => ({ startMs, deadlineMs: 1_000 }));
  const { attempts, calls } = await story(targets, {}, [{}, ...short, { startMs: 16_000 }]);
  const asked = attempts.map(({ target, start }) => [target, start.ms]);
  expect(asked).toEqual([
    [0, 0],
    [1, 2_000],
    [0, 13_000],
    [1, 13_500],
    [1, 14_000],
    [0, 16_000],
  ]);
  for (const { ends } of calls) expect(ends[0]?.error).toBeUndefined();
});

test("a slow target is asked again only if the rest of the time is enough for another one", async () => {
  const targets = [target([{ ...answer, firstMs: 1_500 }]), target([{ ...answer, firstMs: 900 }])];
  const { attempts } = await story(targets, {}, [
    { deadlineMs: 30_000 },
    { startMs: 2_000, deadlineMs: 1_000 },
    { startMs: 20_000, deadlineMs: 1_000 },
  ]);
  expect(attempts.map(({ target }) => target)).toEqual([0, 1, 1]);
});

test("calls are served although their queues are full at more targets than a call has attempts", async () => {
  const full = target([failure("QUEUE_FULL", { firstMs: 0 })]);
  const { attempts, calls } = await story([full, full, full, target([answer])], { maxAttempts: 2 }, [{}]);
  expect(attempts.map((attempt) => attempt.target)).toEqual([0, 1, 2, 3]);
  expect(calls[0]?.ends[0]?.error).toBeUndefined();
});

test("a first target that stalls leaves a third of the time to each of two others", async () => {
  const targets = [target([stall]), target([stall]), target([answer])];
  const { attempts } = await story(targets, {}, [{ deadlineMs: 3_000 }]);
  expect(attempts.map(({ start }) => start.ms)).toEqual([0, 1_000, 2_000]);
});

test("a full queue counts once as no attempt, also if the hedge that it rejected loses later", async () => {
  const slow: Behavior = { ...answer, gapsMs: [1_000] };
  const silent: Behavior = { ...answer, firstMs: 500 };
  const full = failure("QUEUE_FULL", { firstMs: 0 });
  const rules = {
    maxAttempts: 2,
    hedge: { after: 0, budget: 1 },
    timeouts: { ...plainRules.timeouts, attemptMs: 100 },
  };
  const targets = [slow, full, silent, silent].map((behavior) => target([behavior]));
  // The second call only saves up a hedge for the first one.
  const { attempts } = await story(targets, rules, [{ whole: true }, { canHedge: false }]);
  const first = attempts.filter(({ call }) => call.index === 0);
  expect(first.map((attempt) => attempt.target)).toEqual([0, 1, 2]);
});

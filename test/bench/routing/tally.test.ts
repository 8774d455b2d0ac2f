import fc from "fast-check";
import { expect, it } from "vitest";
import type { Attempt } from "../../../bench/routing/attempts.ts";
import { type Outcome, outcomeOf, sharesOf, tally } from "../../../bench/routing/tally.ts";
import { textOf } from "../../../bench/routing/texts.ts";

function attemptOf(call: number, fields: Partial<Attempt> = {}): Attempt {
  const times = { startedAt: 1000, endedAt: 1070 };
  return { target: "A", call, key: "K1", fault: "", finished: true, tokens: 8, ...times, ...fields };
}

function completeCall(call: number, endedAt = 1075): Outcome {
  const seen = { text: textOf(call, 8), finishReason: "stop", error: undefined, left: false };
  return outcomeOf({ seen, firstMs: 30, totalMs: 75 }, call, 8, endedAt);
}

function failedCall(call: number, { left = false, endedAt = 1075 } = {}): Outcome {
  const seen = { text: undefined, finishReason: undefined, error: "503 server_error", left };
  return outcomeOf({ seen, firstMs: undefined, totalMs: 75 }, call, 8, endedAt);
}

function rowOf(outcomes: readonly Outcome[], attempts: readonly Attempt[]) {
  return tally({ scenario: "s2", mode: "stream", system: "dragoman", outcomes, attempts, deltas: 8 });
}

it("counts the tokens of each attempt that is in no complete response as wasted", () => {
  const attempts = [attemptOf(0, { fault: "cut", tokens: 3 }), attemptOf(0), attemptOf(1, { fault: "cut", tokens: 3 })];
  const row = rowOf([completeCall(0), failedCall(1)], attempts);
  expect(row).toMatchObject({ complete: 1, errors: 1, tokens: 14, wastedTokens: 6, extraAttempts: 1, saved: 1 });
  expect(row.errorKinds).toEqual({ "503 server_error": 1 });
  expect(row.byFault).toEqual({ cut: { calls: 2, complete: 1, looksWhole: 0, errors: 1, left: 0, totalMs: 75 } });
});

it("calls an extra attempt useless if it starts after the caller had its end", () => {
  const late = attemptOf(0, { target: "A", startedAt: 3100, endedAt: 3170 });
  const inTime = attemptOf(1, { startedAt: 1050 });
  const calls = [failedCall(0, { left: true, endedAt: 3000 }), completeCall(1)];
  const row = rowOf(calls, [attemptOf(0, { target: "C", endedAt: 4000, finished: false }), late, attemptOf(1), inTime]);
  expect(row).toMatchObject({ left: 1, extraAttempts: 2, uselessAttempts: 1, neverAborted: 0 });
  expect(row.abortedAfterMs).toEqual({ p50: 1000, max: 1000 });
});

it("reports upstream requests that outlive a caller who left to their end, or without one", () => {
  const { endedAt: _, ...open } = attemptOf(1, { finished: false });
  const calls = [0, 1].map((call) => failedCall(call, { left: true, endedAt: 1050 }));
  expect(rowOf(calls, [attemptOf(0, { endedAt: 5000 }), open]).neverAborted).toBe(2);
});

it("counts the attempts with a limited key before the time that its 429 named", () => {
  const rejected = attemptOf(0, { endedAt: 1000, limitedUntil: 3000, tokens: 0 });
  const attempts = [
    rejected,
    attemptOf(1, { startedAt: 1010 }),
    attemptOf(2, { startedAt: 2000 }),
    attemptOf(3, { startedAt: 2000, key: "K2" }),
    attemptOf(4, { startedAt: 3000 }),
  ];
  expect(
    rowOf(
      [0, 1, 2, 3, 4].map((call) => completeCall(call)),
      attempts,
    ).earlyAttempts,
  ).toBe(1);
});

it("gives shares of each quarter that sum to 1 where there were attempts", () => {
  const attempt = fc.record({ call: fc.nat(39), target: fc.constantFrom("A", "B"), key: fc.constantFrom("K1", "K2") });
  fc.assert(
    fc.property(fc.array(attempt), (given) => {
      const attempts = given.map(({ call, ...fields }) => attemptOf(call, fields));
      const shares = Object.values(sharesOf(attempts, 40));
      for (let quarter = 0; quarter < 4; quarter++) {
        const sum = shares.reduce((total, list) => total + (list[quarter] ?? 0), 0);
        const some = attempts.some(({ call }) => Math.floor(call / 10) === quarter);
        expect(sum).toBeCloseTo(some ? 1 : 0);
      }
    }),
  );
});

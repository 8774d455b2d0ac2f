import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultBreaker } from "../../../src/config/route.ts";
import { check } from "./laws.ts";
import { play } from "./play.ts";
import { print } from "./print.ts";
import { rules, type Script } from "./script.ts";

const never = Number.POSITIVE_INFINITY;

/** Scripts with a target that stalls, and a second one that answers within a third of the deadline. */
const stalls: fc.Arbitrary<Script> = fc
  .record({
    rules,
    deadlineMs: fc.oneof(fc.integer({ min: 150, max: 1_000 }), fc.integer({ min: 150, max: 300_000 })),
    isOneTier: fc.boolean(),
    isQueued: fc.boolean(),
    whole: fc.boolean(),
    canHedge: fc.boolean(),
    firstShare: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ rules, deadlineMs, isOneTier, isQueued, whole, canHedge, firstShare, seed }) => {
    const answerMs = Math.floor(deadlineMs / 3);
    const firstMs = Math.floor(answerMs * firstShare);
    const target = { keys: 0, provider: 0, windowTokens: 0, cost: undefined, weight: 1 };
    const call = { startMs: 0, route: 0, cancelMs: undefined, conversation: undefined, unplannable: [], obstacles: [] };
    const firstOutputMs = rules.timeouts.firstOutputMs > answerMs ? rules.timeouts.firstOutputMs : 0;
    const attemptMs = rules.timeouts.attemptMs > answerMs ? rules.timeouts.attemptMs : 0;
    return {
      seed,
      startMs: 0,
      merges: false,
      breaker: defaultBreaker,
      targets: [
        {
          ...target,
          behaviors: [
            { queueMs: isQueued ? never : 0, firstMs: never, gapsMs: [], end: { kind: "complete" as const } },
          ],
        },
        {
          ...target,
          behaviors: [{ queueMs: 0, firstMs, gapsMs: [answerMs - firstMs], end: { kind: "complete" as const } }],
        },
      ],
      routes: [
        {
          tiers: isOneTier
            ? [{ balance: "order" as const, targets: [0, 1] }]
            : [
                { balance: "order" as const, targets: [0] },
                { balance: "order" as const, targets: [1] },
              ],
          rules: {
            ...rules,
            maxAttempts: Math.max(2, rules.maxAttempts),
            timeouts: { firstOutputMs, idleMs: 0, attemptMs },
          },
        },
      ],
      calls: [{ ...call, deadlineMs, whole, canHedge, looksFirst: true, planMs: 0 }],
    };
  });

test("a call succeeds if its first target stalls and its second one answers in a third of the deadline", async () => {
  await fc.assert(
    fc.asyncProperty(stalls, async (script) => {
      const trace = await play(script);
      check(trace);
      expect(trace.calls[0]?.ends[0]?.error, print(trace)).toBeUndefined();
      expect(trace.calls[0]?.handed.length).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HedgeBudget, RetryBudget } from "../../src/routing/budgets.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

describe("a retry budget", () => {
  test("allows a share of the attempts of ten seconds, or ten retries a second", () => {
    const step = fc.record({ passMs: fc.constantFrom(0, 0, 0, 10, 999, 1_000, 9_000), attempts: fc.nat(60) });
    fc.assert(
      fc.property(fc.constantFrom(0, 0.2, 1), fc.array(step, { maxLength: 40, size: "max" }), (share, steps) => {
        const clock = new VirtualClock(500);
        const budget = new RetryBudget(clock);
        const attempts: number[] = [];
        const retries: number[] = [];
        for (const { passMs, attempts: count } of steps) {
          clock.pass(passMs);
          const second = Math.floor(clock.now() / 1_000);
          for (let attempt = 0; attempt < count; attempt++) {
            budget.addAttempt();
            attempts.push(second);
          }
          for (let more = true; more; ) {
            const inSecond = retries.filter((one) => one === second).length;
            const recent = retries.filter((one) => one > second - 10).length;
            const all = attempts.filter((one) => one > second - 10).length;
            more = budget.allows(share);
            expect(more).toBe(inSecond < 10 || recent < share * all);
            if (!more) break;
            budget.addRetry();
            budget.addAttempt();
            retries.push(second);
            attempts.push(second);
            // With a share of 1, each retry pays for the next one.
            if (share === 1) break;
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a hedge budget", () => {
  test("gives no more hedges than its share of the calls, and saves up ten", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.02, 0.1, 0.5, 1),
        fc.array(fc.record({ calls: fc.nat(200), hedges: fc.nat(20) }), { maxLength: 30 }),
        (share, steps) => {
          const budget = new HedgeBudget();
          let [calls, hedges] = [0, 0];
          for (const step of steps) {
            for (let call = 0; call < step.calls; call++) budget.addCall(share);
            calls += step.calls;
            let taken = 0;
            for (let hedge = 0; hedge < step.hedges; hedge++) if (budget.take()) taken++;
            hedges += taken;
            expect(taken).toBeLessThanOrEqual(10);
            expect(hedges).toBeLessThanOrEqual(calls * share + 1e-6);
          }
        },
      ),
    );
  });

  test("gives the tenth of ten calls with a share of 0.1 a hedge", () => {
    const budget = new HedgeBudget();
    for (let call = 0; call < 10; call++) budget.addCall(0.1);
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });
});

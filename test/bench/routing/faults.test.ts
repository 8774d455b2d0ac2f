import fc from "fast-check";
import { expect, it } from "vitest";
import { type Behavior, faultNames, stepOf } from "../../../bench/routing/faults.ts";
import { RateLimit } from "../../../bench/routing/limit.ts";
import { scenarios } from "../../../bench/routing/scenarios.ts";

const behaviors: readonly Behavior[] = scenarios.flatMap(({ targets }) => Object.values(targets));
const mixed: Behavior = { kind: "mixed" };

it("plays the same step for the same attempt, in every process", () => {
  fc.assert(
    fc.property(fc.constantFrom(...behaviors), fc.nat(500), fc.nat(149), (behavior, attempt, call) => {
      const number = { attempt, call, calls: 150 };
      expect(stepOf(behavior, number)).toEqual(stepOf(structuredClone(behavior), number));
    }),
  );
  // The script of earlier runs, so that their rows stay comparable.
  const first = Array.from({ length: 30 }, (_, attempt) => stepOf(mixed, { attempt, call: 0, calls: 150 }).fault ?? "");
  expect(first).toMatchInlineSnapshot(`
    [
      "",
      "",
      "",
      "",
      "silent_after_headers",
      "",
      "",
      "",
      "503",
      "",
      "cut",
      "silent",
      "",
      "",
      "",
      "reset",
      "error_in_200",
      "429",
      "",
      "",
      "",
      "",
      "",
      "",
      "malformed",
      "",
      "",
      "",
      "500",
      "",
    ]
  `);
});

it("fails nine of each 30 attempts, each in its own way, in an order that differs from block to block", () => {
  const blockOf = (block: number) =>
    Array.from({ length: 30 }, (_, index) => stepOf(mixed, { attempt: block * 30 + index, call: 0, calls: 150 }).fault);
  const orders = new Set<string>();
  fc.assert(
    fc.property(fc.nat(100), (block) => {
      const faults = blockOf(block).filter((fault) => fault !== undefined);
      expect(faults).toHaveLength(9);
      expect(new Set(faults).size).toBe(9);
      orders.add(faults.join());
    }),
  );
  expect(orders.size).toBeGreaterThan(1);
});

it("fails every attempt of a broken target, with its faults in turn", () => {
  fc.assert(
    fc.property(fc.subarray([...faultNames], { minLength: 1 }), fc.nat(1000), (faults, attempt) => {
      const step = stepOf({ kind: "fails", faults, faultAfter: 3 }, { attempt, call: 0, calls: 1 });
      expect(step.fault).toBe(faults[attempt % faults.length]);
    }),
  );
});

it("turns slow from the middle call on, whichever attempt it is", () => {
  const [turning] = behaviors.filter((behavior) => behavior.kind === "answers" && behavior.laterFirstMs !== undefined);
  if (turning === undefined) throw new Error("no target turns slow");
  fc.assert(
    fc.property(fc.nat(149), fc.nat(500), (call, attempt) => {
      expect(stepOf(turning, { attempt, call, calls: 150 }).firstMs).toBe(call < 75 ? 30 : 1200);
    }),
  );
});

it("allows a limited key no more than its requests in a window, and allows some as soon as it says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(3000), { maxLength: 100 }), (requests, gaps) => {
      const limit = new RateLimit(requests, 2000);
      const allowed: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const wait = limit.take(now);
        if (wait === 0) allowed.push(now);
        else {
          expect(wait).toBeLessThanOrEqual(2000);
          now += wait;
          expect(limit.take(now)).toBe(0);
          allowed.push(now);
        }
      }
      // Windows begin with their first request, so that two of them touch at most.
      for (const start of allowed) {
        expect(allowed.filter((time) => time >= start && time < start + 2000).length).toBeLessThanOrEqual(2 * requests);
      }
    }),
  );
});

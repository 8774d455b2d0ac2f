import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Claim } from "../../../src/accounts/limits/limit-store.ts";
import { MemoryLimitStore } from "../../../src/accounts/limits/memory-store.ts";
import { LimitModel } from "./model.ts";
import { claimsOf, script, usedOf } from "./scripts.ts";

const runs = Number(process.env.LIMITS_RUNS ?? 3000);
const seed = process.env.LIMITS_SEED;
/** Time in ms for a law, as more scripts need more. */
const timeout = 20_000 + runs * 5;
const parameters = { numRuns: runs, ...(seed !== undefined && { seed: Number(seed) }) };

class VirtualClock {
  nowUs = 0;
  us = () => this.nowUs;
  ms = () => Math.floor(this.nowUs / 1000);
}

const requests = (limit: number, holder = "account:a"): Claim => ({
  ...{ holder, kind: "requests", limit, hold: 1, shadow: false },
});

describe("MemoryLimitStore", () => {
  it(
    "decides as the exact model, whatever the calls do",
    () => {
      fc.assert(
        fc.property(script, ({ limits, steps }) => {
          const clock = new VirtualClock();
          const store = new MemoryLimitStore({ clock });
          const model = new LimitModel();
          const claimsById = new Map<string, readonly Claim[]>();
          for (const [index, step] of steps.entries()) {
            if (step.kind === "wait") {
              clock.nowUs += step.us;
              model.nowUs += BigInt(step.us);
            } else if (step.kind === "reserve") {
              const claims = claimsOf(limits, step.picks);
              claimsById.set(String(index), claims);
              const decision = store.reserve(String(index), claims);
              const { refusedBy, shadowed } = decision;
              expect({ refusedBy, shadowed }).toEqual(model.reserve(String(index), claims));
              expect(decision.left.map(({ remaining }) => BigInt(remaining))).toEqual(
                claims.map((claim) => model.leftOf(claim)),
              );
            } else {
              const id = model.callIds[step.ref % Math.max(1, model.callIds.length)] ?? "unknown";
              const used = usedOf(claimsById.get(id) ?? [], step.used);
              model.settle(id, used);
              store.settle(id, used);
              if (step.twice) store.settle(id, used);
            }
          }
        }),
        parameters,
      );
    },
    timeout,
  );

  it(
    "lets in at most limit * (1 + t / 60) requests in any t seconds",
    () => {
      const gaps = fc.array(fc.oneof(fc.nat(10), fc.nat(3_000_000), fc.nat(90_000_000)), {
        minLength: 1,
        maxLength: 60,
      });
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 20 }), gaps, (limit, waits) => {
          const clock = new VirtualClock();
          const store = new MemoryLimitStore({ clock });
          const times: bigint[] = [];
          for (const [index, us] of waits.entries()) {
            clock.nowUs += us;
            if (store.reserve(String(index), [requests(limit)]).refusedBy === undefined)
              times.push(BigInt(clock.nowUs));
          }
          for (const [first, from] of times.entries()) {
            for (const [last, to] of times.entries()) {
              const count = BigInt(last - first + 1);
              if (last >= first && count * 60_000_000n > BigInt(limit) * (60_000_000n + to - from)) {
                expect.fail(`${count} requests in ${to - from} µs`);
              }
            }
          }
        }),
        parameters,
      );
    },
    timeout,
  );

  it("lets a call in after the wait that it told, and not a millisecond before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat(400_000), { maxLength: 20 }), (limit, waits) => {
        const clock = new VirtualClock();
        const store = new MemoryLimitStore({ clock });
        let refused = store.reserve("", [requests(limit)]);
        for (const [index, us] of [...waits, ...new Array(limit).fill(0)].entries()) {
          clock.nowUs += us;
          refused = store.reserve(String(index), [requests(limit)]);
          if (refused.refusedBy !== undefined) break;
        }
        const { waitMs = -1 } = refused;
        expect(waitMs).toBeGreaterThan(0);
        clock.nowUs += (waitMs - 1) * 1000;
        expect(store.reserve("early", [requests(limit)]).refusedBy).toBe(0);
        clock.nowUs += 1000;
        expect(store.reserve("then", [requests(limit)]).refusedBy).toBeUndefined();
      }),
      { ...parameters, numRuns: Math.min(runs, 200) },
    );
  });

  it("forgets limits that are whole again", () => {
    const clock = new VirtualClock();
    const store = new MemoryLimitStore({ clock });
    for (let index = 0; index < 1000; index++) {
      const holder = `account:${index}`;
      store.reserve(String(index), [requests(5, holder), { ...requests(5, holder), kind: "calls" }]);
      store.settle(String(index), [1, 1]);
    }
    clock.nowUs += 60_000_000;
    for (let index = 0; index < 1000; index++) store.reserve("", [requests(1000, "account:other")]);
    expect(store.size).toEqual({ limits: 1, calls: 1 });
  });

  it("tells how long a spent budget lasts, and to retry soon if calls in progress hold the rest", () => {
    const clock = new VirtualClock();
    const store = new MemoryLimitStore({ clock });
    const period = { name: "0:day", endMs: 5000 };
    const budget: Claim = { holder: "account:a", kind: "budget", limit: 100, hold: 60, shadow: false, period };
    expect(store.reserve("1", [budget]).refusedBy).toBeUndefined();
    expect(store.reserve("2", [budget])).toMatchObject({ refusedBy: 0, waitMs: 1000 });
    store.settle("1", [90]);
    expect(store.reserve("2", [budget])).toMatchObject({ refusedBy: 0, waitMs: 5000, left: [{ remaining: 10 }] });
    expect(store.reserve("3", [{ ...budget, flexible: true }]).left).toEqual([
      { remaining: 0, resetMs: 5000, held: 10 },
    ]);
    expect(store.reserve("4", [{ ...budget, hold: 101 }])).toMatchObject({ refusedBy: 0, waitMs: undefined });
    expect(store.reserve("5", [{ ...budget, hold: 0 }]).refusedBy).toBeUndefined();
  });
});

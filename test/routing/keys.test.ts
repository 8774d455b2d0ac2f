import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyUse } from "../../src/routing/keys.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

const dayMs = 86_400_000;

describe("the use of a key", () => {
  test("is never allowed before the time that the provider requested, whatever happens meanwhile", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("limit" as const), ms: fc.constantFrom(undefined, 0, 1, 500, 5_000, 2 * dayMs) }),
      fc.record({ kind: fc.constant("reject" as const) }),
      fc.record({ kind: fc.constant("accept" as const) }),
      fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1, 999, 1_000, 30_000, 60_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const clock = new VirtualClock(100);
        const use = new KeyUse(clock);
        let [limitedMs, rejectedMs] = [0, 0];
        for (const step of steps) {
          switch (step.kind) {
            case "limit": {
              const forMs = use.limit("PROVIDER_RATE_LIMITED", step.ms);
              if (step.ms) expect(forMs).toBe(Math.min(step.ms, dayMs));
              else {
                expect(forMs).toBeGreaterThanOrEqual(1_000);
                expect(forMs).toBeLessThanOrEqual(30_000);
              }
              limitedMs = Math.max(limitedMs, clock.now() + forMs);
              break;
            }
            case "reject":
              expect(use.reject("PROVIDER_CREDENTIALS_REJECTED")).toBe(60_000);
              rejectedMs = clock.now() + 60_000;
              break;
            case "accept":
              if (use.accept()) rejectedMs = 0;
              break;
            default:
              clock.pass(step.ms);
          }
          const now = clock.now();
          const untilMs = Math.max(limitedMs, rejectedMs);
          expect(use.isLimited).toBe(limitedMs > now);
          expect(use.untilMs).toBe(untilMs > now ? untilMs : undefined);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("doubles the time of each limit in a row, up to 30 s, if the provider names none", () => {
    const clock = new VirtualClock();
    const use = new KeyUse(clock);
    const times: number[] = [];
    for (let limit = 0; limit < 7; limit++) {
      times.push(use.limit("PROVIDER_RATE_LIMITED", undefined));
      clock.pass(30_000);
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    use.accept();
    expect(use.limit("PROVIDER_RATE_LIMITED", undefined)).toBe(1_000);
  });

  test("takes many rejected requests at once for one limit", () => {
    const use = new KeyUse(new VirtualClock());
    for (let request = 0; request < 50; request++) use.limit("PROVIDER_RATE_LIMITED", undefined);
    expect(use.untilMs).toBe(1_000);
  });

  test("is limited no longer because the key was also rejected", () => {
    const clock = new VirtualClock();
    const use = new KeyUse(clock);
    use.limit("PROVIDER_RATE_LIMITED", 1_000);
    use.reject("PROVIDER_PERMISSION_DENIED");
    clock.pass(1_000);
    expect([use.isLimited, use.untilMs]).toEqual([false, 60_000]);
  });
});

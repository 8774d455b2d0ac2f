import fc from "fast-check";
import { expect, it } from "vitest";
import { CallSlots } from "../../src/accounts/concurrency.ts";
import { GatewayError } from "../../src/errors.ts";

const holder = fc.record({
  accountId: fc.constantFrom("", "a1", "a2"),
  keyId: fc.constantFrom("k1", "k2"),
  model: fc.constantFrom("m1", "m2"),
});

/** Owner of the slots: the account or, without one, the API key. */
const ownerOf = ({ accountId, keyId, model }: { accountId: string; keyId: string; model: string }): string =>
  JSON.stringify([accountId === "" ? ["key", keyId] : accountId, model]);

it("admits a call only if its owner has fewer calls in progress than the limit", () => {
  const step = fc.record({ holder, ends: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.integer({ min: 1, max: 4 }), (steps, limit) => {
      const slots = new CallSlots();
      const running: { readonly owner: string; readonly release: () => void }[] = [];
      for (const { holder, ends, which } of steps) {
        const [ended] = ends && running.length > 0 ? running.splice(which % running.length, 1) : [];
        ended?.release();
        const owner = ownerOf(holder);
        if (running.filter((call) => call.owner === owner).length < limit) {
          running.push({ owner, release: slots.take(holder, limit) });
        } else {
          expect(() => slots.take(holder, limit)).toThrow(GatewayError);
        }
      }
    }),
  );
});

it("reports the owner of the slots and the limit", () => {
  const slots = new CallSlots();
  slots.take({ accountId: "a1", keyId: "k1", model: "m1" }, 1);
  expect(() => slots.take({ accountId: "a1", keyId: "k2", model: "m1" }, 1)).toThrow(
    expect.objectContaining({
      reason: "CONCURRENCY_LIMITED",
      status: "RESOURCE_EXHAUSTED",
      facts: {
        metadata: { model: "m1", limit: "1" },
        quota: {
          subject: "account:a1/model:m1",
          description: "at most 1 concurrent calls per account to the model m1",
        },
        retryAfterMs: 1000,
      },
    }),
  );
});

it("distinguishes owners whose names contain slashes", () => {
  const slots = new CallSlots();
  slots.take({ accountId: "a/model:echo/q", keyId: "", model: "echo/z" }, 1);
  expect(() => slots.take({ accountId: "a", keyId: "", model: "echo/q/model:echo/z" }, 1)).not.toThrow();
});

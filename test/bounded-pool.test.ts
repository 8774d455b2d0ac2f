import { describe, expect, it } from "vitest";
import { BoundedPool } from "../src/bounded-pool.ts";
import { GatewayError } from "../src/errors.ts";

const claimant = { holder: "account:a", signal: new AbortController().signal };
const notice = { thing: "a slot", retryAfterMs: 1 };

describe("BoundedPool", () => {
  it("gives a free item at once, and a returned one to the next call", async () => {
    const pool = new BoundedPool(["one", "two"], 1, notice);
    const taken = [pool.take(claimant), pool.take(claimant)];
    expect(taken.sort()).toEqual(["one", "two"]);
    const next = pool.take(claimant);
    expect(pool.waiting).toBe(1);
    pool.give("one", claimant);
    await expect(next).resolves.toBe("one");
  });

  it("gives an item that was promised to a call to no other call", async () => {
    const pool = new BoundedPool(["slot"], 2, notice);
    void pool.take(claimant);
    const first = pool.take(claimant);
    pool.give("slot", claimant);
    const second = pool.take(claimant);
    await expect(first).resolves.toBe("slot");
    expect(pool.waiting).toBe(1);
    pool.give("slot", claimant);
    await expect(second).resolves.toBe("slot");
  });

  it("gives no item to a request that is already cancelled", () => {
    const pool = new BoundedPool(["slot"], 1, notice);
    const reason = new GatewayError("DEADLINE_EXCEEDED", "too late");
    expect(() => pool.take({ ...claimant, signal: AbortSignal.abort(reason) })).toThrow(reason);
    expect(pool.take(claimant)).toBe("slot");
  });
});

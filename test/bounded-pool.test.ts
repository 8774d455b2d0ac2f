import { describe, expect, it } from "vitest";
import { BoundedPool } from "../src/bounded-pool.ts";
import { GatewayError } from "../src/errors.ts";

const { signal } = new AbortController();
const notice = { thing: "a slot", retryAfterMs: 1 };

describe("BoundedPool", () => {
  it("serves waiting requests in order of arrival", async () => {
    const pool = new BoundedPool(["slot"], 2, notice);
    await pool.take(signal);
    const served: string[] = [];
    const first = pool.take(signal).then(() => served.push("first"));
    const second = pool.take(signal).then(() => served.push("second"));
    pool.give("slot");
    await first;
    expect(served).toEqual(["first"]);
    pool.give("slot");
    await second;
    expect(served).toEqual(["first", "second"]);
  });

  it("rejects a request with a retry delay if the queue is full", async () => {
    const pool = new BoundedPool(["slot"], 1, notice);
    await pool.take(signal);
    void pool.take(signal);
    await expect(pool.take(signal)).rejects.toMatchObject({
      reason: "QUEUE_FULL",
      status: "RESOURCE_EXHAUSTED",
      facts: { retryAfterMs: expect.any(Number) },
    });
  });

  it("removes a cancelled request from the queue at once", async () => {
    const pool = new BoundedPool(["slot"], 1, notice);
    await pool.take(signal);
    const controller = new AbortController();
    const cancelled = pool.take(controller.signal);
    const reason = new GatewayError("CANCELLED", "the caller cancelled");
    controller.abort(reason);
    await expect(cancelled).rejects.toBe(reason);
    expect(pool.waiting).toBe(0);
    const next = pool.take(signal);
    pool.give("slot");
    await expect(next).resolves.toBe("slot");
  });

  it("gives no item to a request that is already cancelled", async () => {
    const pool = new BoundedPool(["slot"], 1, notice);
    const reason = new GatewayError("DEADLINE_EXCEEDED", "too late");
    await expect(pool.take(AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(pool.take(signal)).resolves.toBe("slot");
  });
});

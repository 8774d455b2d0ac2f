import { describe, expect, it } from "vitest";
import { BoundedPool } from "../src/bounded-pool.ts";
import { GatewayError } from "../src/errors.ts";

const { signal } = new AbortController();
const notice = { thing: "a slot", retryAfterMs: 1 };

describe("the waiting line", () => {
  it("serves those that wait in the order in which they came", async () => {
    const line = new BoundedPool(["slot"], 2, notice);
    await line.take(signal);
    const served: string[] = [];
    const first = line.take(signal).then(() => served.push("first"));
    const second = line.take(signal).then(() => served.push("second"));
    line.give("slot");
    await first;
    expect(served).toEqual(["first"]);
    line.give("slot");
    await second;
    expect(served).toEqual(["first", "second"]);
  });

  it("rejects one more than may wait, and says when to come back", async () => {
    const line = new BoundedPool(["slot"], 1, notice);
    await line.take(signal);
    void line.take(signal);
    await expect(line.take(signal)).rejects.toMatchObject({
      reason: "QUEUE_FULL",
      status: "RESOURCE_EXHAUSTED",
      facts: { retryAfterMs: expect.any(Number) },
    });
  });

  it("lets a cancelled request leave at once, and its place is free again", async () => {
    const line = new BoundedPool(["slot"], 1, notice);
    await line.take(signal);
    const controller = new AbortController();
    const cancelled = line.take(controller.signal);
    const reason = new GatewayError("CANCELLED", "the caller went away");
    controller.abort(reason);
    await expect(cancelled).rejects.toBe(reason);
    expect(line.waiting).toBe(0);
    const next = line.take(signal);
    line.give("slot");
    await expect(next).resolves.toBe("slot");
  });

  it("gives nothing to a request that was cancelled before it came", async () => {
    const line = new BoundedPool(["slot"], 1, notice);
    const reason = new GatewayError("DEADLINE_EXCEEDED", "too late");
    await expect(line.take(AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(line.take(signal)).resolves.toBe("slot");
  });
});

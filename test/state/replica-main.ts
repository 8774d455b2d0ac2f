import { setTimeout as delay } from "node:timers/promises";
import { Secret } from "../../src/config/secret.ts";
import { RedisLimitStore } from "../../src/state/redis-limit-store.ts";
import type { Outcome, ReplicaOptions } from "./replica.ts";

/** A process with a clock of its own, which sends calls to the shared limits as fast as it can. */
const { url, prefix, clockOffsetMs, durationMs, callers, claims, holdMs, leaseMs, usedShare }: ReplicaOptions =
  JSON.parse(process.argv[2] ?? "{}");

const now = Date.now;
Date.now = () => now() + clockOffsetMs;

const store = new RedisLimitStore({ url: new Secret(url), shownUrl: url, prefix }, { timeoutMs: 10_000, leaseMs });
while (!store.state.shared) await delay(5);
process.send?.("ready");
await new Promise((resolve) => process.once("message", resolve));

const us = () => Number(process.hrtime.bigint() / 1000n);
const endUs = us() + durationMs * 1000;
let calls = 0;

async function call(): Promise<void> {
  while (us() < endUs) {
    const id = `${process.pid}-${calls++}`;
    const sentMs = now();
    const sentUs = us();
    const decision = await store.reserve(id, claims);
    const receivedUs = us();
    const receivedMs = now() + 1;
    const isAdmitted = decision.refusedBy === undefined;
    if (isAdmitted && holdMs < 0) await new Promise(() => {});
    if (isAdmitted && holdMs > 0) await delay(Math.random() * holdMs);
    const used = claims.map(({ kind, hold }) => (kind === "budget" ? Math.floor(hold * usedShare) : hold));
    const settledUs = us();
    const times = { sentMs, receivedMs, sentUs, receivedUs, settledUs };
    const outcome: Outcome = { id, ...times, isAdmitted, shared: decision.shared, used };
    // What is not told before the process dies, counts as not admitted: the bounds hold all the more.
    process.send?.(outcome);
    if (isAdmitted) {
      store.settle(id, used);
      store.settle(id, used);
    }
    if (!isAdmitted) await delay(Math.random() * 2);
  }
}

await Promise.all(Array.from({ length: callers }, call));
await store.close();
process.disconnect?.();

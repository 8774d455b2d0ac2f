import { randomUUID } from "node:crypto";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Claim } from "../../src/accounts/limits/limit-store.ts";
import { Secret } from "../../src/config/secret.ts";
import { RedisLimitStore } from "../../src/state/redis-limit-store.ts";
import { noRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { type Outcome, Replica, type ReplicaOptions } from "./replica.ts";

/** Clocks of the three processes: only that of Redis counts. */
const clockOffsets = [-120_000, 0, 120_000];
const durationMs = Number(process.env.LIMITS_SECONDS ?? 2) * 1000;

const claim = (kind: Claim["kind"], limit: number, more: Partial<Claim> = {}): Claim => ({
  ...{ holder: "account:a", kind, limit, hold: 1, shadow: false },
  ...more,
});

describe.skipIf(noRedis)("three replicas whose clocks differ by minutes", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  async function startAll(claims: readonly Claim[], more: Partial<ReplicaOptions> = {}) {
    const prefix = randomUUID();
    const options = { url: redis.url, prefix, durationMs, callers: 16, holdMs: 0, leaseMs: 60_000, usedShare: 1 };
    const replicas = await Promise.all(
      clockOffsets.map((clockOffsetMs) => Replica.start({ ...options, ...more, claims, clockOffsetMs })),
    );
    const store = new RedisLimitStore(
      { url: new Secret(redis.url), shownUrl: "", prefix },
      { timeoutMs: 10_000, leaseMs: options.leaseMs },
    );
    await expect.poll(() => store.state.shared).toBe(true);
    return { replicas, store, prefix };
  }

  const outcomesOf = (replicas: readonly Replica[]) => replicas.flatMap(({ outcomes }) => outcomes);
  const admittedOf = (outcomes: readonly Outcome[]) => outcomes.filter(({ isAdmitted }) => isAdmitted);

  it("let in at most limit * (1 + t / 60) requests in any t seconds, also if one is killed", async () => {
    const limit = 1200;
    const { replicas, store } = await startAll([claim("requests", limit)]);
    for (const replica of replicas) replica.begin();
    await replicas[0]?.told(500);
    await replicas[0]?.kill();
    await Promise.all(replicas.map((replica) => replica.done()));
    await store.close();
    const outcomes = outcomesOf(replicas);
    expect(outcomes.every(({ shared }) => shared)).toBe(true);
    const admitted = admittedOf(outcomes).sort((a, b) => a.receivedUs - b.receivedUs);
    for (const { sentMs: fromMs } of admitted) {
      let count = 0;
      for (const { sentMs, receivedMs } of admitted) {
        if (sentMs < fromMs) continue;
        count++;
        if (count * 60e3 > limit * (60e3 + receivedMs - fromMs)) expect.fail(`${count} in ${receivedMs - fromMs} ms`);
      }
    }
  });

  it("let every request in for which there was room", async () => {
    const limit = 1200;
    const { replicas, store } = await startAll([claim("requests", limit)]);
    for (const replica of replicas) replica.begin();
    await Promise.all(replicas.map((replica) => replica.done()));
    await store.close();
    const outcomes = outcomesOf(replicas);
    const admitted = admittedOf(outcomes);
    const beginUs = Math.max(...admitted.slice(0, 1).map(({ receivedUs }) => receivedUs));
    const endUs = Math.max(...outcomes.map(({ sentUs }) => sentUs));
    expect(admitted.length).toBeGreaterThanOrEqual(limit + Math.floor((limit * (endUs - beginUs)) / 60e6) - 2);
  });

  it("never have more calls in progress than the limit, and the calls of a dead one end with their leases", async () => {
    const limit = 10;
    const calls = claim("calls", limit);
    const leaseMs = 1500;
    const { replicas, store } = await startAll([calls], { holdMs: 20, leaseMs });
    for (const replica of replicas) replica.begin();
    await replicas[0]?.told(200);
    await replicas[0]?.kill();
    await Promise.all(replicas.map((replica) => replica.done()));
    const admitted = admittedOf(outcomesOf(replicas));
    const events = admitted
      .flatMap(({ receivedUs, settledUs }) => [
        { us: receivedUs, change: 1 },
        { us: settledUs, change: -1 },
      ])
      .sort((a, b) => a.us - b.us || a.change - b.change);
    let [inProgress, most] = [0, 0];
    for (const { change } of events) {
      inProgress += change;
      most = Math.max(most, inProgress);
    }
    expect(most).toBeLessThanOrEqual(limit);
    expect(most).toBeGreaterThan(limit / 2);
    await expect
      .poll(async () => (await store.left([calls]))[0], { timeout: leaseMs + 3000 })
      .toMatchObject({ remaining: limit, held: 0 });
    await store.close();
  });

  it("spend exactly what their calls used, and never more than the budget", async () => {
    const limit = 300_000;
    const period = { name: "0:2026-11", endMs: Date.now() + 3_600_000 };
    const budget = claim("budget", limit, { hold: 100, period });
    const { replicas, store } = await startAll([budget], { usedShare: 0.77, holdMs: 2 });
    for (const replica of replicas) replica.begin();
    await Promise.all(replicas.map((replica) => replica.done()));
    const admitted = admittedOf(outcomesOf(replicas));
    const used = admitted.reduce((sum, { used: [nanos = 0] }) => sum + nanos, 0);
    const [left] = await store.left([budget]);
    expect(left).toMatchObject({ remaining: limit - used, held: 0 });
    expect(used).toBeLessThanOrEqual(limit);
    await store.close();
  });

  it("hold nothing of a budget a lease after they were killed", async () => {
    const period = { name: "0:2026-11", endMs: Date.now() + 3_600_000 };
    const budget = claim("budget", 1_000_000, { hold: 100, period });
    const leaseMs = 1500;
    const { replicas, store, prefix } = await startAll([budget], { holdMs: -1, leaseMs });
    for (const replica of replicas) replica.begin();
    const all = 100 * 16 * 3;
    await expect.poll(async () => (await store.left([budget]))[0]?.held, { timeout: 10_000 }).toBe(all);
    const client = createClient({ url: redis.url });
    await client.connect();
    const firstEndMs = async () =>
      (await client.zRangeWithScores(`{${prefix}}:budget:${period.name}:account:a/leases`, 0, 0))[0]?.score ?? 0;
    // Replicas renew what their calls hold, for longer than a lease.
    const endMs = await firstEndMs();
    await expect.poll(firstEndMs, { timeout: 10_000 }).toBeGreaterThan(endMs + leaseMs);
    client.destroy();
    expect((await store.left([budget]))[0]?.held).toBe(all);
    for (const replica of replicas) await replica.kill();
    await expect
      .poll(async () => (await store.left([budget]))[0], { timeout: leaseMs + 3000 })
      .toMatchObject({ remaining: 1_000_000, held: 0 });
    await store.close();
  });
});

import { createClient } from "@redis/client";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Claim, Decision } from "../../src/accounts/limits/limit-store.ts";
import { Secret } from "../../src/config/secret.ts";
import { RedisLimitStore, type StoreState } from "../../src/state/redis-limit-store.ts";
import { noRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { type Fault, type FaultRelay, startFaultRelay } from "./fault-relay.ts";

const runs = Number(process.env.LOSS_RUNS ?? 20);

const period = { name: "0:2026-11", endMs: Date.now() + 3_600_000 };
const claim = (kind: Claim["kind"], limit: number, hold = 1): Claim => ({
  ...{ holder: "account:a", kind, limit, hold, shadow: false },
  ...(kind === "budget" && { period }),
});

describe.skipIf(noRedis)("a store whose Redis is lost", () => {
  let redis: TestRedis;
  let relay: FaultRelay;
  let store: RedisLimitStore;
  let admin: ReturnType<typeof createClient>;
  let states: StoreState[];
  let calls = 0;

  beforeAll(async () => {
    redis = await startRedis();
    admin = createClient({ url: redis.url, RESP: 2 });
    await admin.connect();
  });
  afterAll(async () => {
    admin.destroy();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await admin.flushAll();
    relay = await startFaultRelay(redis.port);
    states = [];
    store = open(relay.port);
    await shared(true);
  });
  afterEach(async () => {
    await store.close();
    await relay[Symbol.asyncDispose]();
  });

  function open(port: number, times: { readonly timeoutMs?: number } = {}): RedisLimitStore {
    const url = `redis://127.0.0.1:${port}`;
    const settings = { url: new Secret(url), shownUrl: url, prefix: "test" };
    return new RedisLimitStore(settings, { probeMs: 20, ...times, onChange: (state) => void states.push(state) });
  }

  const shared = (expected: boolean) =>
    expect.poll(() => store.state.shared, { timeout: 10_000, interval: 5 }).toBe(expected);
  const reserve = (claims: readonly Claim[], policy?: "local" | "allow" | "deny") =>
    store.reserve(`call-${calls++}`, claims, policy);
  const settled = () => expect.poll(() => store.state, { interval: 5 }).toMatchObject({ shared: true, pending: 0 });

  const faults: readonly (readonly [name: string, fault: Fault])[] = [
    ["refuses connections", "refuse"],
    ["is silent", "silent"],
    ["loses replies", "lose"],
    ["is slow by 5 s", 5000],
  ];

  describe.each(faults)("that %s", (_name, fault) => {
    it("decides without it, at once after the first time, and returns to it", async () => {
      relay.fault = fault;
      const beganMs = performance.now();
      expect(await reserve([claim("requests", 10)])).toMatchObject({ refusedBy: undefined, shared: false });
      // The promise is 50 ms. The rest is the noise of a busy machine.
      expect(performance.now() - beganMs).toBeLessThan(500);
      expect(store.state).toMatchObject({ shared: false });
      expect(reserve([claim("requests", 10)])).not.toBeInstanceOf(Promise);
      relay.fault = "pass";
      await shared(true);
      // Both calls count, each once.
      expect(await store.left([claim("requests", 10)])).toMatchObject([{ remaining: 8 }]);
    });

    it("adds what calls cost meanwhile, once", async () => {
      const budget = claim("budget", 1000, 100);
      await store.reserve("before", [budget]);
      relay.fault = fault;
      await store.reserve("meanwhile", [budget]);
      await store.reserve("over", [budget]);
      store.settle("before", [10]);
      store.settle("over", [20]);
      relay.fault = "pass";
      await shared(true);
      store.settle("meanwhile", [40]);
      await settled();
      expect(await store.left([budget])).toMatchObject([{ remaining: 930, held: 0 }]);
    });
  });

  it("lets all calls in, or none, if the account says so", async () => {
    relay.fault = "refuse";
    await shared(false);
    const one = [claim("requests", 1)];
    for (let count = 0; count < 5; count++) expect(await reserve(one, "allow")).toMatchObject({ refusedBy: undefined });
    expect(await reserve(one, "deny")).toMatchObject({ shared: false });
    expect(await reserve(one, "local")).toMatchObject({ refusedBy: 0, shared: false });
  });

  it("enforces its share of the limits, and of what was left of budgets", async () => {
    const other = open(redis.port);
    await expect.poll(() => other.state.shared).toBe(true);
    const claims = [claim("requests", 10), claim("budget", 1000, 100)];
    await store.reserve("first", claims);
    store.settle("first", [1, 400]);
    await settled();
    await store.reserve("second", claims);
    store.settle("second", [1, 0]);
    relay.fault = "refuse";
    await shared(false);
    relay.fault = "pass";
    await shared(true);
    expect(store.state.replicas).toBe(2);
    relay.fault = "refuse";
    await shared(false);
    // 500 were left when the second call was let in: 250 for each replica.
    const decisions: Decision[] = [];
    for (let count = 0; count < 3; count++) decisions.push(await reserve([claim("budget", 1000, 100)]));
    expect(decisions.map(({ refusedBy }) => refusedBy)).toEqual([undefined, undefined, 0]);
    const requests: Decision[] = [];
    for (let count = 0; count < 6; count++) requests.push(await reserve([claim("requests", 10)]));
    expect(requests.filter(({ refusedBy }) => refusedBy === undefined)).toHaveLength(5);
    await other.close();
  });

  it("keeps the calls in progress in mind, and tells Redis about them again after it was flushed", async () => {
    const claims = [claim("calls", 2), claim("budget", 1000, 100)];
    await store.reserve("long", claims);
    await admin.flushAll();
    // The first message after the loss finds it.
    await reserve([claim("requests", 10)]);
    await shared(true);
    await expect.poll(() => store.left(claims)).toMatchObject([{ remaining: 1 }, { remaining: 900, held: 100 }]);
    store.settle("long", [1, 30]);
    store.settle("long", [1, 30]);
    await settled();
    expect(await store.left(claims)).toMatchObject([{ remaining: 2 }, { remaining: 970, held: 0 }]);
  });

  it.each([
    ["has no memory left", () => admin.configSet("maxmemory", "1"), () => admin.configSet("maxmemory", "0")],
    [
      "became a replica",
      () => admin.sendCommand(["REPLICAOF", "127.0.0.1", "1"]),
      () => admin.sendCommand(["REPLICAOF", "NO", "ONE"]),
    ],
    ["forgot the functions", () => admin.sendCommand(["FUNCTION", "FLUSH"]), () => Promise.resolve()],
  ])("decides without a Redis that %s, until it can write again", async (_name, lose, mend) => {
    // This Redis responds. So a busy machine must not make the store decide without it.
    await store.close();
    store = open(redis.port, { timeoutMs: 5_000 });
    await shared(true);
    await lose();
    expect(await reserve([claim("requests", 10)])).toMatchObject({ refusedBy: undefined, shared: false });
    await mend();
    await shared(true);
    expect(await reserve([claim("requests", 10)])).toMatchObject({ shared: true, left: [{ remaining: 8 }] });
  });

  it("counts in the new primary after a failover", async () => {
    await using replica = await startRedis({ replicaof: `127.0.0.1 ${redis.port}` });
    const next = createClient({ url: replica.url, RESP: 2 });
    await next.connect();
    await expect
      .poll(() => next.sendCommand(["INFO", "replication"]), { timeout: 10_000 })
      .toContain("master_link_status:up");
    const budget = claim("budget", 1000, 100);
    await store.reserve("first", [budget]);
    await admin.wait(1, 5000);
    relay.target = replica.port;
    relay.fault = "refuse";
    relay.fault = "pass";
    await expect.poll(() => store.state.reason).toContain("READONLY");
    store.settle("first", [70]);
    await next.sendCommand(["REPLICAOF", "NO", "ONE"]);
    await shared(true);
    await settled();
    expect(await store.left([budget])).toMatchObject([{ remaining: 930, held: 0 }]);
    next.destroy();
  });

  it(
    "counts every call once, however connections end",
    async () => {
      const claims = [claim("budget", 1e12, 100), claim("calls", 1000)];
      const step = fc.record({
        fault: fc.constantFrom<Fault>("pass", "pass", "pass", "lose", "refuse", "silent", 70),
        calls: fc.integer({ min: 1, max: 5 }),
        settles: fc.integer({ min: 0, max: 5 }),
      });
      let [spent, count] = [0, 0];
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
          const open: string[] = [];
          const settle = (id: string) => {
            const cost = ++count % 97;
            spent += cost;
            store.settle(id, [cost, 1]);
          };
          for (const { fault, calls: many, settles } of steps) {
            relay.fault = fault;
            const ids = Array.from({ length: many }, () => `law-${calls++}`);
            await Promise.all(ids.map((id) => store.reserve(id, claims)));
            open.push(...ids);
            for (const id of open.splice(0, settles)) settle(id);
          }
          for (const id of open) settle(id);
          relay.fault = "pass";
          await settled();
          expect(await store.left(claims)).toMatchObject([
            { remaining: 1e12 - spent, held: 0 },
            { remaining: 1000, held: 0 },
          ]);
        }),
        { numRuns: runs },
      );
    },
    20_000 + runs * 500,
  );
});

describe.skipIf(noRedis)("a store whose Redis is away from the beginning", () => {
  it("tells why, and lets calls in by itself", async () => {
    const url = "redis://127.0.0.1:9";
    const told: StoreState[] = [];
    const store = new RedisLimitStore(
      { url: new Secret(url), shownUrl: url, prefix: "test" },
      { onChange: (state) => void told.push(state), probeMs: 5 },
    );
    await store.tried;
    expect(told).toMatchObject([{ shared: false, reason: expect.stringContaining("ECONNREFUSED") }]);
    expect(store.reserve("1", [claim("requests", 1)])).toMatchObject({ refusedBy: undefined, shared: false });
    await store.close();
    expect(told).toHaveLength(1);
  });
});

describe.skipIf(noRedis)("a Redis without functions", () => {
  it("gets a script", async () => {
    await using redis = await startRedis();
    const admin = createClient({ url: redis.url });
    await admin.connect();
    await admin.aclSetUser("default", "-function");
    admin.destroy();
    const store = new RedisLimitStore({ url: new Secret(redis.url), shownUrl: "", prefix: "test" });
    await expect.poll(() => store.state.shared).toBe(true);
    expect(await store.reserve("1", [claim("requests", 2)])).toMatchObject({ shared: true, left: [{ remaining: 1 }] });
    await store.close();
  });
});

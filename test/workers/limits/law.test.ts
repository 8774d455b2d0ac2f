import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Claim } from "../../../src/accounts/limits/limit-store.ts";
import { LimitPool } from "../../../src/workers/limits/limit-pool.ts";
import type { LimitOrder, LimitReport } from "../../../src/workers/limits/messages.ts";
import { ShareStore } from "../../../src/workers/limits/share-store.ts";

const runs = Number(process.env.SHARE_RUNS ?? 60);

const limits = { requests: 30, tokens: 900, calls: 4, budget: 5000 } as const;
type Kind = keyof typeof limits;

const claim = (kind: Kind, hold: number): Claim => ({
  ...{ holder: "account:a", kind, limit: limits[kind], hold, shadow: false },
  ...(kind === "budget" && { period: { name: "0:p", endMs: Date.now() + 1e9 } }),
});

/** Workers whose messages take a while. Time is virtual. */
class Cluster {
  readonly stores = new Map<number, ShareStore>();
  readonly pool = new LimitPool({ send: (worker, order) => this.#later(worker, () => this.#give(worker, order)) });
  readonly #arrival = new Map<string, number>();
  readonly #latencyMs: (worker: number) => number;
  /** Number of workers that have started. */
  workers = 0;

  constructor(count: number, latencyMs?: (worker: number) => number) {
    this.#latencyMs = latencyMs ?? (() => this.workers % 3);
    for (let index = 0; index < count; index++) this.start();
  }

  start(): number {
    const worker = ++this.workers;
    const receive = (report: LimitReport) => this.#laterUp(worker, () => this.pool.receive(worker, report));
    this.stores.set(worker, new ShareStore({ send: receive }));
    return worker;
  }

  /** Ends a worker at once: nobody hears from it any more. */
  kill(worker: number): void {
    const store = this.stores.get(worker);
    this.stores.delete(worker);
    this.pool.leave(worker);
    void store?.close();
  }

  end(): void {
    for (const store of this.stores.values()) void store.close();
  }

  #give(worker: number, order: LimitOrder): void {
    this.stores.get(worker)?.receive(order);
  }

  #later(worker: number, run: () => void): void {
    this.#deliver(`down ${worker}`, worker, run);
  }

  #laterUp(worker: number, run: () => void): void {
    this.#deliver(`up ${worker}`, worker, () => this.stores.has(worker) && run());
  }

  /** Messages of a channel keep their order. */
  #deliver(channel: string, worker: number, run: () => void): void {
    const at = Math.max(this.#arrival.get(channel) ?? 0, performance.now() + this.#latencyMs(worker));
    this.#arrival.set(channel, at);
    setTimeout(run, Math.max(0, at - performance.now()));
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Admitted {
  readonly atMs: number;
  readonly amount: number;
}

/** In any window of t seconds at most limit × (1 + t/60), and less than 1 for each worker, whose share leaks by itself. */
function expectWindowLaw(admitted: readonly Admitted[], limit: number, workers: number): void {
  const wrong: unknown[] = [];
  for (let first = 0; first < admitted.length; first++) {
    let sum = 0;
    const begin = admitted[first]?.atMs ?? 0;
    for (const { atMs, amount } of admitted.slice(first)) {
      sum += amount;
      const most = limit * (1 + (atMs - begin) / 60_000);
      if (sum >= most + workers) wrong.push({ begin, atMs, sum, most });
    }
  }
  expect(wrong).toEqual([]);
}

const step = fc.record({
  worker: fc.nat(2),
  tokens: fc.integer({ min: 1, max: 400 }),
  nanos: fc.integer({ min: 1, max: 400 }),
  lastsMs: fc.integer({ min: 0, max: 3000 }),
  afterMs: fc.integer({ min: 0, max: 600 }),
  kills: fc.integer({ min: 0, max: 30 }).map((value) => value === 0),
});

describe("workers that share limits", () => {
  it("together keep the window law, and the bound on calls in progress, also if workers die", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        const cluster = new Cluster(3);
        const requests: Admitted[] = [];
        const tokens: Admitted[] = [];
        const running = new Map<string, number>();
        let [spent, calls, mostRunning] = [0, 0, 0];
        for (const { worker: index, tokens: hold, nanos, lastsMs, afterMs, kills } of steps) {
          const [worker = 0, store] = [...cluster.stores][index] ?? [];
          if (kills) {
            cluster.kill(worker);
            for (const [id, owner] of running) if (owner === worker) running.delete(id);
            cluster.start();
          } else {
            const id = `call-${calls++}`;
            const claims = [claim("requests", 1), claim("tokens", hold), claim("calls", 1), claim("budget", nanos)];
            void Promise.resolve(store?.reserve(id, claims)).then((decision) => {
              if (decision === undefined || decision.refusedBy !== undefined) return;
              // The worker has died meanwhile, and its call with it.
              if (!cluster.stores.has(worker)) return;
              requests.push({ atMs: performance.now(), amount: 1 });
              tokens.push({ atMs: performance.now(), amount: hold });
              spent += nanos;
              running.set(id, worker);
              mostRunning = Math.max(mostRunning, running.size);
              setTimeout(() => {
                running.delete(id);
                store?.settle(id, [1, hold, 1, nanos]);
              }, lastsMs);
            });
          }
          await vi.advanceTimersByTimeAsync(afterMs);
        }
        await vi.advanceTimersByTimeAsync(5000);
        cluster.end();
        expect(mostRunning).toBeLessThanOrEqual(limits.calls);
        expectWindowLaw(requests, limits.requests, cluster.workers);
        expectWindowLaw(tokens, limits.tokens, cluster.workers);
        // What a killed worker spent since the last round is not known.
        if (!steps.some(({ kills }) => kills)) expect(spent).toBeLessThanOrEqual(limits.budget);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });

  it("refuse no call for longer than two rounds while there is room, whoever had it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(2), async (steps, asking) => {
        const cluster = new Cluster(3);
        let taken = 0;
        for (const [index, { worker, nanos, afterMs }] of steps.entries()) {
          const store = [...cluster.stores.values()][worker];
          void Promise.resolve(store?.reserve(`call-${index}`, [claim("budget", nanos)])).then((decision) => {
            if (decision?.refusedBy === undefined) taken += nanos;
            store?.settle(`call-${index}`, [nanos]);
          });
          await vi.advanceTimersByTimeAsync(afterMs);
        }
        await vi.advanceTimersByTimeAsync(500);
        const store = [...cluster.stores.values()][asking];
        const rest = limits.budget - taken;
        const decision = Promise.resolve(store?.reserve("last", [claim("budget", rest)]));
        await vi.advanceTimersByTimeAsync(500);
        expect((await decision)?.refusedBy).toBeUndefined();
        const more = Promise.resolve(store?.reserve("more", [claim("budget", 1)]));
        await vi.advanceTimersByTimeAsync(500);
        expect((await more)?.refusedBy).toBe(0);
        cluster.end();
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });

  it("refuse no call while a worker that is slow has room, and all once there is none", async () => {
    // An answer takes twice as long.
    const cluster = new Cluster(2, (worker) => (worker === 1 ? 80 : 1));
    const [slow, fast] = [...cluster.stores.values()];
    const first = Promise.resolve(slow?.reserve("first", [claim("budget", 1000)]));
    await vi.advanceTimersByTimeAsync(1000);
    expect((await first)?.refusedBy).toBeUndefined();
    const calls = [1, 2, 3, 4].map((index) => Promise.resolve(fast?.reserve(`call-${index}`, [claim("budget", 1000)])));
    await vi.advanceTimersByTimeAsync(1000);
    expect((await Promise.all(calls)).map((decision) => decision?.refusedBy)).toEqual(new Array(4).fill(undefined));
    const last = Promise.resolve(fast?.reserve("last", [claim("budget", 1)]));
    await vi.advanceTimersByTimeAsync(2000);
    expect((await last)?.refusedBy).toBe(0);
    cluster.end();
  });

  it("let a call take what it waited for before the worker gives it", async () => {
    const reports: LimitReport[] = [];
    const store = new ShareStore({ send: (report) => reports.push(report) });
    const decision = Promise.resolve(store.reserve("call", [claim("budget", 30)]));
    const [name = ""] = reports.flatMap((report) => report.limits.map((limit) => limit.name));
    // Both orders arrive at once.
    store.receive({ kind: "dealt", limits: [{ name, amount: 100, others: 0, isShort: false }] });
    store.receive({ kind: "give", round: 2, names: [name] });
    expect((await decision).refusedBy).toBeUndefined();
    expect(reports.at(-1)).toEqual({ kind: "given", round: 2, limits: [{ name, free: 70, debt: 0, taken: 30 }] });
    await store.close();
  });

  it("know what is left over all workers, and forget a limit that nobody uses", async () => {
    const cluster = new Cluster(3);
    const [one, other] = [...cluster.stores.values()];
    for (let index = 0; index < 10; index++) {
      const decision = Promise.resolve(one?.reserve(`call-${index}`, [claim("requests", 1)]));
      await vi.advanceTimersByTimeAsync(20);
      expect((await decision)?.refusedBy).toBeUndefined();
    }
    const left = Promise.resolve(other?.left([claim("requests", 0)]));
    await vi.advanceTimersByTimeAsync(500);
    expect((await left)?.[0]?.remaining).toBe(20);
    await vi.advanceTimersByTimeAsync(200_000);
    expect([cluster.pool.size, one?.size, other?.size]).toEqual([0, 0, 0]);
    cluster.end();
  });
});

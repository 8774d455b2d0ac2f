import { EventEmitter, once } from "node:events";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type LimitedHolder, limitedAccount, limitedKey, periodOf } from "../../../src/accounts/limits/claims.ts";
import type { Claim } from "../../../src/accounts/limits/limit-store.ts";
import { PastSpending } from "../../../src/accounts/limits/past-spending.ts";
import { RememberingLimitStore } from "../../../src/accounts/limits/remembering-store.ts";
import type { SpendingQuery, SpendingReader } from "../../../src/accounts/limits/spending-reader.ts";
import type { Budget } from "../../../src/config/account.ts";

const budget: Budget = {
  ...{ amountNanos: 100, period: "month", timeZone: "UTC", warnAt: 0.8, shadow: false, unpriced: "refuse" },
};
const month = periodOf(budget, Date.UTC(2026, 10, 29));
const sinceMs = Date.UTC(2026, 10, 29, 12);

/** Ledger in memory, with the calls that have reached it. */
class Calls extends EventEmitter implements SpendingReader {
  readonly queries: SpendingQuery[] = [];
  readonly calls: {
    readonly account: string;
    readonly key: string;
    readonly beganMs: number;
    readonly nanos: number;
  }[] = [];
  /** Undefined: the database never responds. */
  failure: Error | "silent" | undefined;

  add(account: string, beganMs: number, nanos: number, key = ""): void {
    this.calls.push({ account, key, beganMs, nanos });
  }

  async spentBy(query: SpendingQuery): Promise<ReadonlyMap<string, number>> {
    this.queries.push(query);
    this.emit("query");
    if (this.failure === "silent") return new Promise(() => {});
    if (this.failure !== undefined) throw this.failure;
    const sums = new Map<string, number>();
    for (const call of this.calls) {
      const id = call[query.by];
      const isIn = query.ids.includes(id) && call.beganMs >= query.startMs && call.beganMs < query.endMs;
      if (isIn) sums.set(id, (sums.get(id) ?? 0) + call.nanos);
    }
    return sums;
  }
}

/** @param againMs wait before spending is read again. Default: it is not */
function open(calls: Calls, againMs?: number) {
  const states: boolean[] = [];
  const changes = new EventEmitter();
  const past = new PastSpending({
    reader: calls,
    sinceMs,
    onState(error) {
      states.push(error === undefined);
      changes.emit("change");
    },
    waits: {
      longestMs: 30,
      again: { firstMs: againMs ?? 1, longestMs: againMs === undefined ? 0 : 1000 },
      retry: { firstMs: 1, longestMs: 1 },
    },
  });
  const store = new RememberingLimitStore(past);
  onTestFinished(() => store.close());
  return { past, store, states, changes };
}

const account = limitedAccount({ id: "a/b", limits: undefined, budgets: [budget] });
const key = limitedKey({ id: "k", limits: undefined, budgets: [budget] });

function claim(hold: number, beganMs = sinceMs + 1, owner: LimitedHolder = account, period = month): Claim {
  return {
    ...{ holder: owner.holder, kind: "budget", limit: 100, hold, shadow: false },
    period: { name: `0:${period.name}`, endMs: period.endMs },
    past: { series: "0:month", startMs: period.startMs, beganMs },
  };
}

describe("what budgets had spent before this process", () => {
  // `prepare` reads what was spent in the periods of today.
  beforeAll(() => vi.useFakeTimers({ now: sinceMs, toFake: ["Date"] }));
  afterAll(() => vi.useRealTimers());

  it("counts from the first call on, which waits for it", async () => {
    const calls = new Calls();
    calls.add("a/b", month.startMs, 50);
    calls.add("a/b", month.startMs - 1, 7);
    calls.add("other", sinceMs - 1, 7, "k");
    const { past, store } = open(calls);
    past.prepare([account, key]);
    expect(await store.reserve("1", [claim(51)])).toMatchObject({ refusedBy: 0, left: [{ remaining: 50 }] });
    expect(await store.reserve("2", [claim(50), claim(93, sinceMs, key)])).toMatchObject({ refusedBy: undefined });
    expect(store.left([claim(0), claim(0, sinceMs, key)])).toMatchObject([{ remaining: 0 }, { remaining: 0 }]);
    expect(calls.queries).toHaveLength(2);
  });

  it("does not have the calls of this process, which the ledger has too", async () => {
    const calls = new Calls();
    calls.failure = new Error("away");
    calls.add("a/b", sinceMs - 1, 50);
    const { past, store, states, changes } = open(calls);
    past.prepare([account]);
    await store.reserve("0", [claim(0)]);
    // The database is known to be away: no call waits for it.
    expect(store.reserve("1", [claim(20)])).toMatchObject({ refusedBy: undefined, left: [{ remaining: 80 }] });
    store.settle("1", [20]);
    calls.add("a/b", sinceMs + 1, 20);
    calls.failure = undefined;
    await once(changes, "change");
    expect(await store.left([claim(0)])).toMatchObject([{ remaining: 30 }]);
    expect(states).toEqual([false, true]);
  });

  it("gains records that reach the ledger late, once", async () => {
    const calls = new Calls();
    calls.add("a/b", sinceMs - 2, 10);
    const { store } = open(calls, 1);
    expect(await store.reserve("1", [claim(5)])).toMatchObject({ left: [{ remaining: 85 }] });
    calls.add("a/b", sinceMs - 1, 30);
    // The second of two reads begins when the first one has ended.
    for (let reads = 0; reads < 3; reads++) await once(calls, "query");
    expect(store.left([claim(0)])).toMatchObject([{ remaining: 55 }]);
  });

  it("is that until the first call of a budget that is new", async () => {
    const calls = new Calls();
    const { past, store } = open(calls);
    past.prepare([key]);
    await store.reserve("1", [claim(0, sinceMs, key)]);
    calls.add("a/b", sinceMs + 1000, 25);
    expect(await store.reserve("2", [claim(5, sinceMs + 2000)])).toMatchObject({ left: [{ remaining: 70 }] });
    // A call that began earlier, and whose request was complete later.
    expect(store.reserve("3", [claim(5, sinceMs + 1500)])).toMatchObject({ left: [{ remaining: 65 }] });
    expect(calls.queries.at(-1)?.endMs).toBe(sinceMs + 2000);
  });

  it("is nothing in a period that begins while the process runs, and calls of the former one may still end", async () => {
    const calls = new Calls();
    calls.add("a/b", sinceMs - 1, 60);
    const { past, store } = open(calls);
    past.prepare([account]);
    await store.reserve("1", [claim(40)]);
    const next = periodOf(budget, month.endMs);
    const later = (hold: number) => claim(hold, month.endMs, account, next);
    expect(store.reserve("2", [later(100)])).toMatchObject({ refusedBy: undefined });
    store.settle("1", [40]);
    expect(store.left([later(0)])).toMatchObject([{ remaining: 0 }]);
    expect(calls.queries).toHaveLength(1);
  });

  it("is waited for only for a bounded time", async () => {
    const calls = new Calls();
    calls.failure = "silent";
    const { past, store } = open(calls);
    past.prepare([account]);
    expect(await store.reserve("1", [claim(100)])).toMatchObject({ refusedBy: undefined });
  });
});

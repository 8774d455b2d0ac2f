import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { CallLimits, type CallToLimit } from "../../src/accounts/limits/call-limits.ts";
import { limitedAccount } from "../../src/accounts/limits/claims.ts";
import type { LimitStore } from "../../src/accounts/limits/limit-store.ts";
import { MemoryLimitStore } from "../../src/accounts/limits/memory-store.ts";
import type { Budget, Limits } from "../../src/config/account.ts";
import { Secret } from "../../src/config/secret.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { createPriceList } from "../../src/prices/price-list.ts";
import { RedisLimitStore } from "../../src/state/redis-limit-store.ts";
import { sizeOfChat } from "../../src/tokens/request-size.ts";
import { noRedis, startRedis } from "../../test/support/redis.ts";
import { ask } from "../../test/support/requests.ts";

/**
 * `npm run bench -- --limits`: CPU time of this process that limits and budgets add to a call, all included: claims,
 * estimate, store, headers and settlement. The calls ask no provider.
 */
const calls = 40_000;
const rounds = 5;

const limits: Limits = { requestsPerMinute: 1e9, tokensPerMinute: 1e12, concurrentCalls: 1e9, shadow: false };
const budget: Budget = {
  ...{ amountNanos: 9e15, period: "month", timeZone: "Europe/Berlin", warnAt: 0.8, shadow: false, unpriced: "refuse" },
};
const model = create(ModelSchema, { id: "openai/gpt-4o", provider: "openai", providerModel: "gpt-4o" });
const prices = createPriceList();
const usage = create(UsageSchema, {
  inputTokens: 60,
  outputTokens: 100,
  totalTokens: 160,
  cost: { totalNanos: 1000n },
});
const request = sizeOfChat(ask("openai/gpt-4o", "word ".repeat(50)));

function callOf(accounts: number, index: number, budgets: readonly Budget[]): CallToLimit {
  const account = limitedAccount({ id: `account-${index % accounts}`, limits, budgets });
  const beganMs = Date.now();
  return { id: randomUUID(), beganMs, holders: [account], onStoreLoss: "local", request, models: [model], prices };
}

/** Returns the microseconds of CPU time per call, with `atOnce` calls at the same time. */
async function measure(store: LimitStore, atOnce: number, budgets: readonly Budget[], count: number): Promise<number> {
  const all = new CallLimits(store);
  let next = 0;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) {
        const taken = all.take(callOf(100, next++, budgets));
        const limited = taken instanceof Promise ? await taken : taken;
        if (limited.error !== undefined) throw limited.error;
        if (limited.headers.length === 0 || limited.warnings.length > 0) throw new Error("no headers, or a warning");
        limited.settle({ usage, tokens: usage.totalTokens, wasSent: true });
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function report(name: string, store: LimitStore, atOnce: number, budgets: readonly Budget[]): Promise<void> {
  const count = atOnce === 1 ? calls / 4 : calls;
  await measure(store, atOnce, budgets, count);
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measure(store, atOnce, budgets, count));
  const sorted = results.map((us) => us.toFixed(1)).sort((a, b) => Number(a) - Number(b));
  console.log(`${name}: ${median(results).toFixed(1)} µs (${sorted[0]}–${sorted.at(-1)})`);
}

console.log(`CPU time per call, median of ${rounds} rounds (range)`);
await report("in memory, three limits", new MemoryLimitStore(), 1, []);
await report("in memory, three limits and a budget", new MemoryLimitStore(), 1, [budget]);
if (!noRedis) {
  await using redis = await startRedis();
  const store = new RedisLimitStore(
    { url: new Secret(redis.url), shownUrl: redis.url, prefix: "bench" },
    { timeoutMs: 10_000 },
  );
  while (!store.state.shared) await new Promise((resolve) => setImmediate(resolve));
  await report("Redis, three limits, 1 at once", store, 1, []);
  await report("Redis, three limits, 16 at once", store, 16, []);
  await report("Redis, three limits, 64 at once", store, 64, []);
  await report("Redis, three limits and a budget, 64 at once", store, 64, [budget]);
  await store.close();
}

const accounts = 100_000;
// The clock stands still, so that nothing leaks and no limit is forgotten.
const store = new MemoryLimitStore({ clock: { us: () => 0, ms: () => Date.now() } });
const all = new CallLimits(store);
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
for (let index = 0; index < accounts; index++) {
  const limited = await all.take(callOf(accounts, index, [budget]));
  limited.settle({ usage, tokens: usage.totalTokens, wasSent: true });
}
globalThis.gc?.();
const bytes = process.memoryUsage().heapUsed - before;
const { limits: states } = store.size;
console.log(
  `memory of ${accounts} accounts with three limits and a budget: ${(bytes / 2 ** 20).toFixed(0)} MiB (${states} limits)`,
);

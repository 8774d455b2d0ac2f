import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { CallLimits, type CallToLimit } from "../../../src/accounts/limits/call-limits.ts";
import type { LimitedHolder } from "../../../src/accounts/limits/claims.ts";
import type { Claim, Decision, LimitStore } from "../../../src/accounts/limits/limit-store.ts";
import { MemoryLimitStore } from "../../../src/accounts/limits/memory-store.ts";
import { needOf } from "../../../src/accounts/limits/need.ts";
import type { Budget, StoreLossPolicy } from "../../../src/config/account.ts";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createPriceList } from "../../../src/prices/price-list.ts";
import { sizeOfEmbedding } from "../../../src/tokens/embedding-size.ts";
import { sizeOfChat } from "../../../src/tokens/request-size.ts";
import { embedRequest } from "../../support/embedding.ts";
import { ask } from "../../support/requests.ts";

/** A store that lets everything in, and remembers what it was asked. */
class OpenStore implements LimitStore {
  readonly reserved: (readonly Claim[])[] = [];
  readonly settled: (readonly number[])[] = [];
  shared = true;

  reserve(_callId: string, claims: readonly Claim[]): Decision {
    this.reserved.push(claims);
    const left = claims.map(({ limit }) => ({ remaining: limit, resetMs: 0, held: 0 }));
    return { refusedBy: undefined, waitMs: undefined, left, shadowed: [], shared: this.shared };
  }
  settle(_callId: string, used: readonly number[]): void {
    this.settled.push(used);
  }
  left(): readonly [] {
    return [];
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

const budget: Budget = {
  ...{ amountNanos: 1e12, period: "month", timeZone: "UTC", warnAt: 0.8, shadow: false, unpriced: "refuse" },
};
const gpt = create(ModelSchema, {
  ...{ id: "openai/gpt-4o", provider: "openai", providerModel: "gpt-4o", maxOutputTokens: 16_384 },
});
const prices = createPriceList();
const holder: LimitedHolder = {
  ...{ holder: "account:a", name: "the account a", budgets: [budget] },
  limits: { requestsPerMinute: 10, tokensPerMinute: 5000, concurrentCalls: 2, shadow: false },
};

function callWith(more: Parameters<typeof ask>[2] = {}, onStoreLoss: StoreLossPolicy = "local"): CallToLimit {
  const chat = ask("openai/gpt-4o", "one two three", more);
  const request = sizeOfChat(chat);
  return { id: "call", beganMs: Date.now(), holders: [holder], onStoreLoss, request, models: [gpt], prices };
}

async function take(store: LimitStore, call = callWith()) {
  return new CallLimits(store).take(call);
}

const holdsOf = (store: OpenStore) =>
  Object.fromEntries((store.reserved.at(-1) ?? []).map((one) => [one.kind, one.hold]));

describe("what a budget has spent", () => {
  const spentOf = async (limits: CallLimits, budgets: readonly Budget[]) =>
    (await limits.leftOf({ ...holder, budgets })).flatMap(({ claim, left }) =>
      claim.kind === "budget" ? [claim.limit - left.remaining] : [],
    );

  it("stays with it if other budgets of the account are added, removed or moved, and if its amount changes", async () => {
    const limits = new CallLimits(new MemoryLimitStore());
    const day: Budget = { ...budget, period: "day" };
    const berlin: Budget = { ...day, timeZone: "Europe/Berlin" };
    const unpriced: Budget = { ...day, period: "week", unpriced: "allow" };
    const call = { ...callWith(), holders: [{ ...holder, budgets: [day, budget, berlin] }] };
    const limited = await limits.take(call);
    const cost = { totalNanos: 1234n };
    limited.settle({ usage: create(UsageSchema, { cost }), tokens: 0, wasSent: true });
    expect(await spentOf(limits, [day, budget, berlin])).toEqual([1234, 1234, 1234]);
    expect(await spentOf(limits, [unpriced, berlin, budget, day])).toEqual([0, 1234, 1234, 1234]);
    expect(await spentOf(limits, [{ ...budget, amountNanos: 5000 }])).toEqual([1234]);
    expect(await spentOf(limits, [day, day])).toEqual([1234, 0]);
  });
});

describe("what a call holds", () => {
  it("is its prompt and the output that it requests, and their highest price", async () => {
    const store = new OpenStore();
    await take(store, callWith({ parameters: { maxOutputTokens: 100 } }));
    const { requests, tokens = 0, calls, budget: nanos = 0 } = holdsOf(store);
    expect([requests, calls]).toEqual([1, 1]);
    expect(tokens).toBeGreaterThan(100);
    expect(tokens).toBeLessThan(120);
    // 10 dollars per million output tokens.
    expect(nanos).toBeGreaterThan(100 * 10_000);
    expect(nanos).toBeLessThan(100 * 10_000 + 100 * 10_000);
    expect(store.reserved[0]?.find(({ kind }) => kind === "budget")?.flexible).toBe(false);
  });

  it("is at most the whole limit of tokens, and at most the model's output", async () => {
    const store = new OpenStore();
    await take(store, callWith({ parameters: { maxOutputTokens: 1_000_000 } }));
    expect(holdsOf(store).tokens).toBe(5000);
    const need = needOf({
      ...{ request: callWith({ parameters: { maxOutputTokens: 1_000_000, n: 2 } }).request, models: [gpt], prices },
      ...{ usualOutput: undefined, hasBudget: true },
    });
    expect(need.nanos).toBeGreaterThan(2 * 16_384 * 10_000);
    expect(need.nanos).toBeLessThan(2 * 16_384 * 10_000 + 1e6);
  });

  it("follows the usual output of the account and the model", async () => {
    const store = new OpenStore();
    const limits = new CallLimits(store);
    for (let index = 0; index < 10; index++) {
      const limited = await limits.take(callWith());
      const usage = create(UsageSchema, { inputTokens: 10, outputTokens: 50 + index, totalTokens: 60 + index });
      limited.settle({ usage, tokens: usage.totalTokens, wasSent: true });
    }
    const [first, last] = [store.reserved[0], store.reserved.at(-1)].map(
      (claims) => claims?.find(({ kind }) => kind === "tokens")?.hold ?? 0,
    );
    expect(first).toBeGreaterThan(1000);
    expect(last).toBeGreaterThan(58);
    expect(last).toBeLessThan(80);
    expect(store.reserved[0]?.find(({ kind }) => kind === "budget")?.flexible).toBe(true);
  });
});

describe("what an invalid call holds", () => {
  it.each([
    ["a negative output limit", { parameters: { maxOutputTokens: -5, n: -3 } }],
    ["no model that could serve it", {}],
    ["a very long prompt", { parameters: { maxOutputTokens: 2 ** 31 - 1, n: 2 ** 31 - 1 } }],
  ])("is an amount, with %s", (name, more) => {
    const { request } = callWith(more);
    const long = sizeOfChat(ask("openai/gpt-4o", "x".repeat(2_000_000), more));
    const models = name.startsWith("no model") ? [] : [gpt];
    for (const one of [request, long]) {
      const { tokens, nanos = 0 } = needOf({ request: one, models, prices, usualOutput: undefined, hasBudget: true });
      expect(Number.isInteger(Math.min(tokens, 5000))).toBe(true);
      expect(tokens).toBeGreaterThan(0);
      expect(Number.isSafeInteger(nanos) && nanos >= 0).toBe(true);
    }
  });
});

describe("the need of a request for embeddings", () => {
  it("is not bounded by the context window, which holds for each input", () => {
    const request = sizeOfEmbedding(
      embedRequest(
        "openai/gpt-4o",
        Array.from({ length: 100 }, () => "x".repeat(50)),
      ),
    );
    const models = [{ ...gpt, contextWindowTokens: 60 }];
    const need = { models, prices, usualOutput: undefined, hasBudget: true };
    const whole = needOf({ ...need, request });
    const one = needOf({ ...need, request: sizeOfEmbedding(embedRequest("openai/gpt-4o", ["x".repeat(50)])) });
    expect(whole.nanos).toBe(100 * (one.nanos ?? 0));
  });
});

describe("a prompt whose upper bound does not fit a budget", () => {
  const small = { ...budget, amountNanos: 1_000_000 };
  const owner: LimitedHolder = { holder: "account:a", name: "the account a", budgets: [small] };
  /** A prompt of 1,000 bytes, which are about 200 tokens: 0.5 of 1 million nanodollars. */
  const call = (text: string, count: number | undefined) => {
    const counts: string[] = [];
    const chat = ask("openai/gpt-4o", text, { parameters: { maxOutputTokens: 10 } });
    const countPrompt = (model: typeof gpt) => {
      counts.push(model.id);
      return Promise.resolve({ high: count ?? 0 });
    };
    const limited = new CallLimits(new MemoryLimitStore()).take({
      ...{
        id: "call",
        beganMs: Date.now(),
        holders: [owner],
        onStoreLoss: "local",
        request: sizeOfChat(chat),
        models: [gpt, gpt],
        prices,
      },
      ...(count !== undefined && { countPrompt }),
    });
    return { limited, counts };
  };

  it("is counted if its estimate fits, and let in if its count does", async () => {
    const { limited, counts } = call("word ".repeat(200), 205);
    expect((await limited).error).toBeUndefined();
    expect(counts).toEqual(["openai/gpt-4o"]);
    expect((await call("word ".repeat(200), 700).limited).error?.reason).toBe("BUDGET_EXHAUSTED");
  });

  it("is not counted if its estimate does not fit, and the error tells the estimate", async () => {
    const { limited, counts } = call("word ".repeat(400), 405);
    expect((await limited).error?.message).toMatch(/may cost \$0\.001\d+, and \$0\.001 are left; request less output$/);
    expect(counts).toEqual([]);
  });

  it("is rejected if it cannot be counted", async () => {
    expect((await call("word ".repeat(200), undefined).limited).error?.reason).toBe("BUDGET_EXHAUSTED");
  });
});

describe("what a call settles with", () => {
  const usage = create(UsageSchema, { inputTokens: 10, outputTokens: 5, totalTokens: 15, cost: { totalNanos: 77n } });

  it("is what it used", async () => {
    const store = new OpenStore();
    (await take(store)).settle({ usage, tokens: usage.totalTokens, wasSent: true });
    expect(store.settled).toEqual([[1, 15, 1, 77]]);
  });

  it("is nothing if no provider was asked, and only the request if none can have counted tokens", async () => {
    const store = new OpenStore();
    (await take(store)).settle({ usage: undefined, tokens: 0, wasSent: false });
    (await take(store)).settle({ usage: undefined, tokens: 0, wasSent: true });
    expect(store.settled).toEqual([
      [0, 0, 0, 0],
      [1, 0, 1, 0],
    ]);
  });

  it("is what it held of a budget if the cost is unknown", async () => {
    const store = new OpenStore();
    const { cost: _, ...uncosted } = usage;
    (await take(store)).settle({ usage: uncosted, tokens: 15, wasSent: true });
    expect(store.settled[0]?.[3]).toBe(holdsOf(store).budget);
  });
});

describe("a call without the shared store", () => {
  it("is rejected if its account requires the store, and noted otherwise", async () => {
    const store = new OpenStore();
    store.shared = false;
    const denied = await take(store, callWith({}, "deny"));
    expect(denied.error).toMatchObject({ reason: "STORE_UNAVAILABLE", facts: { retryAfterMs: 1000 } });
    denied.settle({ usage: undefined, tokens: 0, wasSent: false });
    expect(store.settled).toEqual([]);
    const local = await take(store);
    expect(local).toMatchObject({ error: undefined, notes: ["STORE_LOSS"] });
  });
});

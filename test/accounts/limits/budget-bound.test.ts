import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { CallLimits, type CallToLimit } from "../../../src/accounts/limits/call-limits.ts";
import { limitedAccount } from "../../../src/accounts/limits/claims.ts";
import type { LimitedCall } from "../../../src/accounts/limits/limited-call.ts";
import { MemoryLimitStore } from "../../../src/accounts/limits/memory-store.ts";
import type { Budget } from "../../../src/config/account.ts";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { mostCost } from "../../../src/prices/most-cost.ts";
import { createPriceList } from "../../../src/prices/price-list.ts";
import { estimateBounds, tokenCounter } from "../../../src/tokens/counter.ts";
import { sizeOfChat } from "../../../src/tokens/request-size.ts";
import { estimateChatTokens } from "../../../src/tokens/usage-estimate.ts";
import { counting } from "../../support/counting.ts";
import { ask } from "../../support/requests.ts";
import { artificialTexts } from "../../tokens/artificial-texts.ts";
import { texts } from "../../tokens/texts.ts";

const model = create(ModelSchema, {
  ...{ id: "openai/gpt-4o", provider: "openai", providerModel: "gpt-4o" },
  ...{ maxOutputTokens: 16_384, contextWindowTokens: 128_000 },
});
const prices = createPriceList();
const known = prices.pricesOf(model);

/** Each text with its exact count. */
const prompts = [...Object.values(artificialTexts), ...Object.values(texts)].map((text) => ({ text, tokens: 0 }));
beforeAll(async () => {
  const counter = tokenCounter(model, counting);
  for (const prompt of prompts) {
    const { tokens, exact } = await counter.count(ask(model.id, prompt.text));
    expect(exact).toBe(true);
    prompt.tokens = tokens;
  }
}, 30_000);

function costOf(input: number, output: number): number {
  return known === undefined ? Number.NaN : Number(mostCost(known, input, output, ""));
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant("call" as const),
    prompt: fc.nat(prompts.length - 1),
    output: fc.nat(300),
    choices: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant("end" as const), ref: fc.nat(20), share: fc.constantFrom(0, 0.5, 1, 1) }),
);

interface CallInProgress {
  readonly limited: LimitedCall;
  readonly input: number;
  readonly output: number;
}

describe("a budget", () => {
  it("is never exceeded by calls with an output limit whose prompts are counted exactly", async () => {
    const amount = fc.integer({ min: 0, max: 8_000_000 });
    await fc.assert(
      fc.asyncProperty(amount, fc.array(step, { minLength: 1, maxLength: 40 }), async (amountNanos, steps) => {
        const budget: Budget = {
          ...{ amountNanos, period: "month", timeZone: "UTC", warnAt: 1, shadow: false, unpriced: "refuse" },
        };
        const limits = new CallLimits(new MemoryLimitStore());
        const holders = [limitedAccount({ id: "a", limits: undefined, budgets: [budget] })];
        const calls: CallInProgress[] = [];
        let spent = 0;
        const end = (call: CallInProgress | undefined, share: number): void => {
          if (call === undefined) return;
          const output = Math.floor(call.output * share);
          const cost = costOf(call.input, output);
          spent += cost;
          const usage = create(UsageSchema, { outputTokens: output, cost: { totalNanos: BigInt(cost) } });
          call.limited.settle({ usage, tokens: 0, wasSent: true });
          expect(spent).toBeLessThanOrEqual(amountNanos);
        };
        for (const [index, one] of steps.entries()) {
          if (one.kind === "end") {
            end(calls.splice(one.ref % Math.max(1, calls.length), 1)[0], one.share);
            continue;
          }
          const { text, tokens } = prompts[one.prompt] ?? { text: "", tokens: 0 };
          const parameters = { maxOutputTokens: one.output, n: one.choices };
          const chat = ask(model.id, text, { parameters });
          const limited = await limits.take(callOf(String(index), chat, holders));
          const [input, output] = [tokens * one.choices, one.output * one.choices];
          if (limited.error === undefined) calls.push({ limited, input, output });
          else if (calls.length === 0) {
            // Without other calls, only a call that may cost more than is left is rejected.
            const estimate = estimateBounds(Math.ceil(estimateChatTokens(chat, "large"))).high * one.choices;
            expect(costOf(Math.max(input, estimate), output)).toBeGreaterThan(amountNanos - spent);
          }
        }
        for (const call of calls) end(call, 1);
      }),
      { numRuns: Number(process.env.LIMITS_RUNS ?? 500) },
    );
  }, 120_000);
});

function callOf(id: string, chat: ChatRequest, holders: CallToLimit["holders"]): CallToLimit {
  return {
    ...{ id, request: sizeOfChat(chat), holders, prices },
    ...{ beganMs: Date.now(), onStoreLoss: "local", models: [model] },
    countPrompt: (one) => tokenCounter(one, counting).count(chat),
  };
}

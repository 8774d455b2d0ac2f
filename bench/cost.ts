/** `npm run bench -- --cost`: the CPU time in which a call gets its cost, in this process. */
import { Bill } from "../src/prices/bill.ts";
import { createPriceList, type PricedModel } from "../src/prices/price-list.ts";
import { exactUsage } from "../src/providers/kit/usage.ts";
import { atMost, describeMachine, type Figure, formatSection } from "./report.ts";
import { summarize } from "./statistics.ts";

/** Longest CPU time in ns that a cost may take. */
const budgetNs = 2_000;

const rounds = 7;
const callsPerRound = 200_000;

const model = (provider: string, providerModel: string): PricedModel => ({
  id: `${provider}/${providerModel}`,
  provider,
  providerModel,
});

const everyKind = exactUsage(10_000, 2_000, {
  ...{ cachedInputTokens: 5_000, cacheWriteInputTokens: 1_000, cacheWrite1hInputTokens: 100, reasoningTokens: 300 },
  serverToolRequests: { web_search_requests: 2 },
});

const prices = createPriceList();
const now = new Date();

function measure(name: string, priced: PricedModel, usage: typeof everyKind): Figure {
  const nanoseconds = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (let call = 0; call < callsPerRound; call++) {
      const bill = new Bill(prices, now);
      bill.charge(priced, usage, "standard");
      bill.total(usage);
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / callsPerRound;
  });
  return { name, unit: "ns", value: summarize(nanoseconds), budget: atMost(budgetNs) };
}

console.log(describeMachine());
console.log(
  formatSection({
    title: "Cost of a call",
    figures: [
      measure("input and output", model("openai", "gpt-4o"), exactUsage(1_000, 200)),
      measure("cache, reasoning and searches, with tiers", model("anthropic", "claude-haiku-5-5"), everyKind),
    ],
  }),
);

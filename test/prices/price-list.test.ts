import { describe, expect, it } from "vitest";
import { CostSource } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { PriceOverride } from "../../src/prices/model-prices.ts";
import { createPriceList, type PricedModel } from "../../src/prices/price-list.ts";

function model(path: string, id = path): PricedModel {
  const [, provider = "", providerModel = ""] = /^([^/]+)\/(.+)$/.exec(path) ?? [];
  return { id, provider, providerModel };
}

describe("an unknown price is unset", () => {
  const list = createPriceList();
  it.each([
    ["a model that the table does not know", "openai/gpt-99"],
    ["a newer version of a model that it knows", "anthropic/claude-sonnet-5-9"],
    ["a name for which sources disagree", "mistral/mistral-large-latest"],
    ["a smaller model of the same name", "gemini/gemini-3.6-flash-lite"],
    ["a provider without prices", "vllm/gpt-4o"],
    ["a variant at OpenRouter", "openrouter/openai/gpt-4o:nitro"],
    ["another provider's name for a model", "groq/llama3.1-8b"],
    ["an application profile at Bedrock", "bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/a1b2"],
    ["a deployment at Azure with a name of the operator's", "azure-openai/chat-gpt-4o-prod"],
    ["a name of Object.prototype", "constructor/toString"],
  ])("for %s", (_, name) => {
    expect(list.pricesOf(model(name))).toBeUndefined();
    expect(list.estimatedCost(model(name), 10, 10)).toBeUndefined();
  });
});

it("finds the prices of a vendor's model at Azure, Vertex AI, Bedrock and OpenRouter", () => {
  const list = createPriceList();
  const input = (name: string) => list.pricesOf(model(name))?.tiers[0].input;
  expect(input("azure-openai/gpt-4o")).toBe(2_500_000n);
  expect(input("vertex/gemini-2.5-flash")).toBe(300_000n);
  expect(input("vertex/claude-opus-4-5@20251101")).toBe(5_000_000n);
  expect(input("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0")).toBe(1_100_000n);
  expect(input("bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-opus-5")).toBe(
    5_000_000n,
  );
  expect(input("openrouter/openai/gpt-4o-mini")).toBe(150_000n);
});

it("uses the vendor's name of a model with a name of the operator's", () => {
  const names: Readonly<Record<string, string>> = { prod: "gpt-4o-mini", "gpt-4o": "gpt-4o-mini" };
  const list = createPriceList({ vendorModel: ({ providerModel }) => names[providerModel] });
  for (const name of ["prod", "gpt-4o"]) {
    expect(list.pricesOf(model(`azure-openai/${name}`))?.tiers[0].input).toBe(150_000n);
  }
});

it("gives a further provider the prices of its dialect", () => {
  const dialects: Readonly<Record<string, string>> = { "openai-eu": "openai", house: "vllm" };
  const list = createPriceList({ dialectOf: (provider) => dialects[provider] });
  expect(list.pricesOf(model("openai-eu/gpt-4o"))?.tiers[0].input).toBe(2_500_000n);
  expect(list.pricesOf(model("house/gpt-4o"))).toBeUndefined();
  expect(list.pricesOf(model("other/gpt-4o"))).toBeUndefined();
});

it("applies prices from their day, and in their hours", () => {
  const list = createPriceList();
  const input = (name: string, at: string) => list.pricesOf(model(name), new Date(at))?.tiers[0].input;
  expect(input("gemini/gemini-3.6-flash", "2026-12-31T23:59:59.999Z")).toBe(750_000n);
  expect(input("gemini/gemini-3.6-flash", "2027-01-01T00:00:00Z")).toBe(1_500_000n);
  const deepseek = "deepseek/deepseek-v4-flash";
  expect(input(deepseek, "2026-08-16T12:00:00Z")).toBe(140_000n);
  expect(input(deepseek, "2026-11-29T00:59:59Z")).toBe(220_000n);
  expect(input(deepseek, "2026-11-29T01:00:00Z")).toBe(440_000n);
  expect(input(deepseek, "2026-11-29T04:00:00Z")).toBe(220_000n);
  expect(input(deepseek, "2026-11-29T09:59:59Z")).toBe(440_000n);
});

it("estimates the cost of a request in the tier of its prompt, with the fee of a request", () => {
  const list = createPriceList();
  expect(list.estimatedCost(model("openai/gpt-4o"), 1000, 100)).toBe(1000n * 2_500_000n + 100n * 10_000_000n);
  expect(list.estimatedCost(model("gemini/gemini-2.5-pro"), 200_001, 0)).toBe(200_001n * 2_500_000n);
  expect(list.estimatedCost(model("perplexity/sonar"), 0, 0)).toBe(12_000_000_000n);
  expect(list.estimatedCost(model("openai/gpt-4o"), 0.5, 0)).toBe(2_500_000n);
});

describe("configured prices", () => {
  const prices = {
    input: 1n,
    cachedInput: undefined,
    cacheWrite: undefined,
    cacheWrite1h: undefined,
    output: 2n,
  };
  const override = (id: string, path: string | undefined, input: bigint): PriceOverride => ({
    name: id,
    id,
    target: path === undefined ? undefined : model(path),
    prices: { ...prices, input },
  });

  it("replace those of the table for every name of the provider's model, but a deployment's only for itself", () => {
    const list = createPriceList({
      overrides: [
        override("gpt-4o", "openai/gpt-4o", 7n),
        override("deployments/bot", undefined, 8n),
        override("house/model", "house/model", 9n),
      ],
    });
    const input = (path: string, id?: string) => list.pricesOf(model(path, id))?.tiers[0].input;
    expect(input("openai/gpt-4o", "gpt-4o")).toBe(7n);
    expect(input("openai/gpt-4o")).toBe(7n);
    expect(input("openai/gpt-4o", "deployments/other")).toBe(7n);
    expect(input("openai/gpt-4o", "deployments/bot")).toBe(8n);
    expect(input("openai/gpt-4o-mini")).toBe(150_000n);
    expect(input("house/model")).toBe(9n);
  });

  it("have their own source, and another version whenever they differ", () => {
    const pricesFor = (input: bigint) =>
      createPriceList({ overrides: [override("a/b", "a/b", input)] }).pricesOf(model("a/b"));
    expect(pricesFor(1n)).toMatchObject({ source: CostSource.CONFIGURATION });
    expect(pricesFor(1n)?.version).toMatch(/^configuration-[0-9a-f]{8}$/);
    expect(pricesFor(1n)?.version).toBe(pricesFor(1n)?.version);
    expect(pricesFor(1n)?.version).not.toBe(pricesFor(2n)?.version);
  });

  it("have one tier, and leave the table's other prices as they are", () => {
    const list = createPriceList({
      overrides: [
        override("x", "gemini/gemini-2.5-pro", 1n),
        override("y", "openai/gpt-audio-mini", 1n),
        override("z", "perplexity/sonar", 1n),
      ],
    });
    expect(list.pricesOf(model("gemini/gemini-2.5-pro"))?.tiers).toMatchObject([{ fromInputTokens: 0, input: 1n }]);
    expect(list.pricesOf(model("openai/gpt-audio-mini"))?.tiers).toMatchObject([
      { input: 1n, audioInput: 10_000_000n },
    ]);
    expect(list.pricesOf(model("perplexity/sonar"))?.request).toBe(12_000_000_000n);
  });
});

it("remembers a bounded number of models, although callers can name any", () => {
  const list = createPriceList();
  for (let index = 0; index < 10_000; index++) list.pricesOf(model(`openai/made-up-${index}`));
  expect(list.pricesOf(model("openai/gpt-4o"))?.version).toMatch(/^genai-prices \d+\.\d+\.\d+$/);
});

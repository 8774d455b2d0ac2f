import { toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ModelPrice, ModelPriceSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { serviceTierTable } from "../../src/prices/service-tiers.ts";
import { priceTable } from "../../src/prices/table.ts";
import { startTestService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  const file = {
    providers: {
      "azure-openai": { base_url: "http://127.0.0.1:9", api_key: "k", options: { models: { prod: "gpt-4o-mini" } } },
      "openai-eu": { dialect: "openai", base_url: "http://127.0.0.1:9", api_key: "k" },
    },
    deployments: { bot: { model: "openai/gpt-4o" }, own: { model: "openai/gpt-4o" } },
    routes: {
      same: { tiers: [{ targets: [{ model: "gpt-4o" }, { model: "openai-eu/gpt-4o" }] }] },
      other: { tiers: [{ targets: [{ model: "openai/gpt-4o" }] }, { targets: [{ model: "openai/gpt-4o-mini" }] }] },
    },
    prices: {
      "deployments/own": { input: "1.00", cached_input: "0.10", output: "2.00" },
      "openai/gpt-99": { input: "0.000001", output: "3.00" },
    },
  };
  service = await startTestService(
    { OPENAI_API_KEY: "k", GEMINI_API_KEY: "k", ANTHROPIC_API_KEY: "k" },
    undefined,
    JSON.stringify(file),
  );
});
afterAll(() => service.stop());

async function pricesOf(id: string): Promise<readonly ModelPrice[]> {
  const { model } = await service.modelClient("grpc").getModel({ id });
  return model?.prices ?? [];
}

it("lists published prices with the version of the table, each tier by itself", async () => {
  const priceVersion = priceTable().version;
  const tiers = (await pricesOf("gemini/gemini-2.5-pro")).filter(({ serviceTier }) => serviceTier === "");
  expect(tiers.map((tier) => toJson(ModelPriceSchema, tier))).toEqual([
    {
      inputPicosPerToken: "1250000",
      cachedInputPicosPerToken: "125000",
      outputPicosPerToken: "10000000",
      priceVersion,
    },
    {
      fromInputTokens: 200_001,
      inputPicosPerToken: "2500000",
      cachedInputPicosPerToken: "250000",
      outputPicosPerToken: "15000000",
      priceVersion,
    },
  ]);
  expect(await pricesOf("anthropic/claude-opus-5")).toMatchObject([
    {
      cacheWritePicosPerToken: 6_250_000n,
      cacheWrite1hPicosPerToken: 10_000_000n,
      picosPerWebSearch: 10_000_000_000n,
    },
  ]);
});

it("lists configured prices, and those of the vendor's model of an Azure deployment", async () => {
  expect(await pricesOf("deployments/own")).toMatchObject([
    {
      inputPicosPerToken: 1_000_000n,
      cachedInputPicosPerToken: 100_000n,
      outputPicosPerToken: 2_000_000n,
      priceVersion: expect.stringMatching(/^configuration-/),
    },
  ]);
  expect(await pricesOf("deployments/bot")).toEqual(await pricesOf("gpt-4o"));
  expect(await pricesOf("openai/gpt-99")).toMatchObject([{ inputPicosPerToken: 1n }]);
  expect((await pricesOf("azure-openai/prod"))[0]).toMatchObject({ inputPicosPerToken: 150_000n });
});

it("lists the prices of other service tiers after the usual ones", async () => {
  const [usual, priority, ...others] = await pricesOf("openai/gpt-4o");
  expect(usual).toMatchObject({ serviceTier: "", inputPicosPerToken: 2_500_000n });
  expect(priority).toMatchObject({
    serviceTier: "priority",
    inputPicosPerToken: 4_250_000n,
    cachedInputPicosPerToken: 2_125_000n,
    outputPicosPerToken: 17_000_000n,
    priceVersion: serviceTierTable().version,
  });
  expect(others).toEqual([]);
});

it("lists prices of 0 for models that run inside Dragoman", async () => {
  expect(await pricesOf("echo/echo")).toMatchObject([
    { inputPicosPerToken: 0n, outputPicosPerToken: 0n, priceVersion: "free" },
  ]);
});

it("lists the prices of a route if all its targets have the same", async () => {
  const usual = (prices: readonly ModelPrice[]) => prices.map((price) => [price.serviceTier, price.inputPicosPerToken]);
  expect(usual(await pricesOf("same"))).toEqual(usual(await pricesOf("openai/gpt-4o")));
  expect(await pricesOf("other")).toEqual([]);
});

it("lists no prices for a model whose price is unknown, rather than zero", async () => {
  expect(await pricesOf("openai/gpt-98")).toEqual([]);
  expect(await pricesOf("azure-openai/other")).toEqual([]);
});

it("lists the same prices in ListModels as in GetModel", async () => {
  const { models } = await service.modelClient("grpc").listModels({ pageSize: 1000, provider: "anthropic" });
  const priced = models.filter(({ prices }) => prices.length > 0);
  expect(priced.length).toBeGreaterThan(10);
  for (const { id, prices } of priced) expect(await pricesOf(id)).toEqual(prices);
});

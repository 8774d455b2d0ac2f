import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { tierOf } from "../../src/prices/model-prices.ts";
import { formatPrice } from "../../src/prices/picodollars.ts";
import { createPriceList } from "../../src/prices/price-list.ts";
import { costOf } from "./costs.ts";

const read = "2026-11-29";
const litellm = "as in PyPI litellm 1.110.2, model_prices_and_context_window_backup.json";
const claude = { page: "https://platform.claude.com/docs/en/about-claude/pricing", read };
const openai = { page: "https://developers.openai.com/api/docs/pricing", by: litellm, read };
const google = { page: "https://ai.google.dev/gemini-api/docs/pricing", by: litellm, read };
const amazon = {
  page: "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonBedrock/current/us-east-1/index.json",
  by: litellm,
  read,
};
const bedrock = { page: "https://aws.amazon.com/bedrock/pricing/", by: litellm, read };
const xai = { page: "https://api.x.ai/v1/language-models", by: litellm, read };
const cerebras = {
  page: "https://www.cerebras.ai/blog/openai-gpt-oss-120b-runs-fastest-on-cerebras",
  by: litellm,
  read,
};

/** Prices in US dollars per million tokens, as the vendor publishes them. */
interface Published {
  readonly model: string;
  /** Length of the prompt. Default 1000. */
  readonly prompt?: number;
  readonly input: string;
  readonly cached?: string;
  readonly write?: string;
  readonly write1h?: string;
  readonly audio?: string;
  readonly output: string;
  readonly source: { readonly page: string; readonly by?: string; readonly read: string };
}

const published: readonly Published[] = [
  {
    model: "anthropic/claude-opus-5",
    input: "5.00",
    write: "6.25",
    write1h: "10.00",
    cached: "0.50",
    output: "25.00",
    source: claude,
  },
  {
    model: "anthropic/claude-haiku-4-5-20251001",
    input: "1.00",
    write: "1.25",
    write1h: "2.00",
    cached: "0.10",
    output: "5.00",
    source: claude,
  },
  {
    model: "anthropic/claude-sonnet-5-5",
    input: "2.00",
    write: "2.50",
    write1h: "4.00",
    cached: "0.10",
    output: "10.00",
    source: { ...claude, by: litellm },
  },
  {
    model: "anthropic/claude-haiku-5-5",
    prompt: 100_000,
    input: "0.10",
    write: "0.125",
    write1h: "0.20",
    cached: "0.01",
    output: "0.50",
    source: { ...claude, by: litellm },
  },
  {
    model: "bedrock/us.anthropic.claude-haiku-5-5",
    prompt: 100_001,
    input: "0.55",
    write: "0.6875",
    write1h: "1.10",
    cached: "0.055",
    output: "2.75",
    source: { ...bedrock, by: litellm },
  },
  { model: "openai/gpt-4o", input: "2.50", cached: "1.25", output: "10.00", source: openai },
  { model: "openai/gpt-4o-mini", input: "0.15", cached: "0.075", output: "0.60", source: openai },
  { model: "openai/gpt-5.5", prompt: 271_999, input: "5.00", cached: "0.50", output: "30.00", source: openai },
  { model: "openai/gpt-5.5", prompt: 272_001, input: "10.00", cached: "1.00", output: "45.00", source: openai },
  { model: "openai/gpt-audio-mini", input: "0.60", audio: "10.00", output: "2.40", source: openai },
  { model: "gemini/gemini-2.5-pro", prompt: 200_000, input: "1.25", cached: "0.125", output: "10.00", source: google },
  { model: "gemini/gemini-2.5-pro", prompt: 200_001, input: "2.50", cached: "0.25", output: "15.00", source: google },
  { model: "vertex/gemini-2.5-pro", prompt: 200_001, input: "2.50", cached: "0.25", output: "15.00", source: google },
  { model: "gemini/gemini-2.5-flash", input: "0.30", cached: "0.03", audio: "1.00", output: "2.50", source: google },
  { model: "bedrock/us.amazon.nova-pro-v1:0", input: "0.80", cached: "0.20", output: "3.20", source: amazon },
  {
    model: "bedrock/us.anthropic.claude-sonnet-5",
    input: "2.20",
    write: "2.75",
    write1h: "4.40",
    cached: "0.22",
    output: "11.00",
    source: bedrock,
  },
  {
    model: "bedrock/global.anthropic.claude-sonnet-5",
    input: "2.00",
    write: "2.50",
    write1h: "4.00",
    cached: "0.20",
    output: "10.00",
    source: bedrock,
  },
  { model: "xai/grok-4.5", prompt: 199_999, input: "2.00", cached: "0.30", output: "6.00", source: xai },
  { model: "xai/grok-4.5", prompt: 200_001, input: "4.00", cached: "0.60", output: "12.00", source: xai },
  { model: "cerebras/gpt-oss-120b", input: "0.35", output: "0.75", source: cerebras },
];

const list = createPriceList();

function pricesOf(model: string) {
  const [, provider = "", providerModel = ""] = /^([^/]+)\/(.+)$/.exec(model) ?? [];
  const prices = list.pricesOf({ id: model, provider, providerModel }, new Date(read));
  if (prices === undefined) throw new Error(`${model} has no price`);
  return prices;
}

it.each(published)("prices $model with $prompt prompt tokens as $source.page does", (row) => {
  const tier = tierOf(pricesOf(row.model), row.prompt ?? 1000);
  const format = (picos: bigint | undefined) => (picos === undefined ? undefined : formatPrice(picos));
  expect({
    input: formatPrice(tier.input),
    cached: format(tier.cachedInput),
    write: format(tier.cacheWrite),
    write1h: format(tier.cacheWrite1h),
    audio: format(tier.audioInput),
    output: formatPrice(tier.output),
  }).toEqual({
    input: row.input,
    cached: row.cached,
    write: row.write,
    write1h: row.write1h,
    audio: row.audio,
    output: row.output,
  });
});

it("covers ten models of five vendors", () => {
  expect(new Set(published.map(({ model }) => model)).size).toBeGreaterThanOrEqual(10);
  expect(new Set(published.map(({ source }) => source.page)).size).toBeGreaterThanOrEqual(5);
});

it("selects the tier by the whole prompt, cached tokens included, and charges all of it", () => {
  const usage = (inputTokens: number, cachedInputTokens: number) =>
    create(UsageSchema, { inputTokens, cachedInputTokens, outputTokens: 1000, quality: UsageQuality.EXACT });
  // 100,000 × $0.125 + 100,000 × $1.25 + 1000 × $10 per million tokens.
  expect(costOf(usage(200_000, 100_000), pricesOf("gemini/gemini-2.5-pro"))).toMatchObject({
    cachedInputNanos: 12_500_000n,
    inputNanos: 125_000_000n,
    outputNanos: 10_000_000n,
    totalNanos: 147_500_000n,
  });
  // 200,000 × $0.25 + 1 × $2.50 + 1000 × $15.
  expect(costOf(usage(200_001, 200_000), pricesOf("gemini/gemini-2.5-pro"))?.totalNanos).toBe(65_002_500n);
});

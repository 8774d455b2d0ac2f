import { type Cost, CostSource, type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { lookUp } from "../look-up.ts";
import { type ModelPrices, tierOf } from "./model-prices.ts";
import { nanosOf, picosOf } from "./picodollars.ts";

/** Exact cost by kind, in picodollars. `total` is the sum of the others, unless the provider states only the total. */
export interface PicoCost {
  /** Prompt tokens that were neither read from the prompt cache nor written to it. */
  readonly input: bigint;
  readonly cachedInput: bigint;
  readonly cacheWrite: bigint;
  readonly output: bigint;
  /** Fees of requests and of tools that the provider ran. */
  readonly other: bigint;
  readonly total: bigint;
}

/** Known cost of one upstream request, or of several. */
export interface KnownCost {
  readonly picos: PicoCost;
  readonly source: CostSource;
  readonly version: string;
}

/** Cost of one upstream request. `unknown`: what of it has no known price; empty: all of it. */
export type Charge = KnownCost | { readonly unknown: string };

/**
 * Returns the cost of one upstream request. A provider's own statement wins.
 *
 * @param prices of the model when the call was made. Undefined: unknown
 * @param serviceTier tier in which the provider served the request, in its spelling
 */
export function chargeOf(usage: Usage, prices: ModelPrices | undefined, serviceTier = ""): Charge {
  const { cost, quality } = usage;
  if (cost?.source === CostSource.PROVIDER) {
    return { picos: { ...nothing, total: picosOf(cost.totalNanos) }, source: cost.source, version: "" };
  }
  if (prices === undefined) return { unknown: "" };
  if (quality === UsageQuality.UNSPECIFIED) return { unknown: "uncounted tokens" };
  const applied = pricesInTier(prices, serviceTier);
  if (applied === undefined) return { unknown: `the service tier ${serviceTier}` };
  const picos = picoCostOf(usage, applied);
  return "unknown" in picos ? picos : { picos, source: applied.source, version: applied.version };
}

const nothing: PicoCost = { input: 0n, cachedInput: 0n, cacheWrite: 0n, output: 0n, other: 0n, total: 0n };

/** Names of the service tier at the usual prices, in the spelling of OpenAI, Anthropic and Groq. */
const usualTiers: ReadonlySet<string> = new Set(["", "auto", "default", "standard", "standard_only", "on_demand"]);

/** Returns the prices in a service tier. Configured prices apply to every tier. Undefined: they are unknown. */
function pricesInTier(prices: ModelPrices, serviceTier: string): ModelPrices | undefined {
  if (serviceTier === "" || prices.source === CostSource.CONFIGURATION) return prices;
  const name = serviceTier.toLowerCase();
  return usualTiers.has(name) ? prices : prices.serviceTiers?.get(name);
}

/** Rounds a cost to nanodollars, each amount once. */
export function toCost({ picos, source, version }: KnownCost): Cost {
  return {
    $typeName: "dragoman.v1.Cost",
    totalNanos: nanosOf(picos.total),
    inputNanos: nanosOf(picos.input),
    cachedInputNanos: nanosOf(picos.cachedInput),
    cacheWriteNanos: nanosOf(picos.cacheWrite),
    outputNanos: nanosOf(picos.output),
    otherNanos: nanosOf(picos.other),
    source,
    priceVersion: version,
  };
}

/**
 * Computes the exact cost of an upstream request. The whole prompt selects the tier. Each token has one kind: cached
 * tokens and those that are written to the cache count as text, since no provider says what they are; the others are
 * audio, images and text.
 */
function picoCostOf(usage: Usage, prices: ModelPrices): PicoCost | { readonly unknown: string } {
  const tier = tierOf(prices, usage.inputTokens);
  const other = toolCost(usage.serverToolRequests, prices);
  if (typeof other === "string") return { unknown: other };

  const prompt = new Tokens(usage.inputTokens);
  const cachedInput = prompt.take(usage.cachedInputTokens) * (tier.cachedInput ?? tier.input);
  const written = new Tokens(Number(prompt.take(usage.cacheWriteInputTokens)));
  const writtenFor1h = written.take(usage.cacheWrite1hInputTokens);
  const usualWrite = tier.cacheWrite ?? tier.input;
  const longWrite = tier.cacheWrite1h ?? (knows1h(prices, tier.cacheWrite) ? usualWrite : undefined);
  if (writtenFor1h > 0n && longWrite === undefined) return { unknown: "cache writes for one hour" };
  const cacheWrite = written.rest() * usualWrite + writtenFor1h * (longWrite ?? 0n);
  const audioInput = prompt.take(usage.audioInputTokens) * (tier.audioInput ?? tier.input);
  const imageInput = prompt.take(usage.imageInputTokens) * (tier.imageInput ?? tier.input);
  const input = audioInput + imageInput + prompt.rest() * tier.input;

  const response = new Tokens(usage.outputTokens);
  const audioOutput = response.take(usage.audioOutputTokens) * (tier.audioOutput ?? tier.output);
  const imageOutput = response.take(usage.imageOutputTokens) * (tier.imageOutput ?? tier.output);
  const reasoning = response.take(usage.reasoningTokens) * (tier.reasoningOutput ?? tier.output);
  const output = audioOutput + imageOutput + reasoning + response.rest() * tier.output;

  const total = input + cachedInput + cacheWrite + output + other;
  return { input, cachedInput, cacheWrite, output, other, total };
}

/**
 * Returns whether writing for an hour costs what writing costs. The table lacks the higher price of an hour for some
 * models of Claude at Bedrock; a configuration without it says that there is none.
 */
function knows1h({ source }: ModelPrices, cacheWrite: bigint | undefined): boolean {
  return source === CostSource.CONFIGURATION || cacheWrite === undefined;
}

/** Tokens of a total that are split into kinds. A provider's parts may exceed the total; the first ones then count. */
class Tokens {
  #left: number;

  constructor(total: number) {
    this.#left = total;
  }

  take(part = 0): bigint {
    const taken = Math.min(part, this.#left);
    this.#left -= taken;
    return BigInt(taken);
  }

  rest(): bigint {
    return this.take(this.#left);
  }
}

/** Price of one request to a tool that the provider ran, by the provider's name for the count. */
const toolPrices: Readonly<Record<string, (prices: ModelPrices) => bigint | undefined>> = {
  // https://platform.claude.com/docs/en/about-claude/pricing: web fetch has no charge beyond its tokens.
  web_search_requests: ({ webSearch }) => webSearch,
  web_fetch_requests: () => 0n,
  // Perplexity: a model with a fee for each request includes its searches in the fee.
  // https://docs.perplexity.ai/docs/getting-started/pricing
  num_search_queries: ({ webSearch, request }) => webSearch ?? (request > 0n ? 0n : undefined),
};

/** Returns the fees of a request, or the name of a tool that it used and whose price is unknown. */
function toolCost(requests: Readonly<Record<string, number>>, prices: ModelPrices): bigint | string {
  let cost = prices.request;
  for (const [tool, count] of Object.entries(requests)) {
    if (count === 0) continue;
    const price = lookUp(toolPrices, tool)?.(prices);
    if (price === undefined) return tool;
    cost += price * BigInt(count);
  }
  return cost;
}

import { type Cost, CostSource, type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { lookUp } from "../look-up.ts";
import { type ModelPrices, tierOf } from "./model-prices.ts";
import { nanosOf } from "./picodollars.ts";

/** Exact cost by kind, in picodollars. `total` is the sum of the others. */
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

/** Names of the service tier at the usual prices, in the provider's spelling: OpenAI, Anthropic, Groq. */
const usualTiers: ReadonlySet<string> = new Set(["", "auto", "default", "standard", "on_demand"]);

/**
 * Returns the cost of a call. A provider's own statement wins. Undefined: the cost is unknown, since the price of the
 * model is, or of something that the call used.
 *
 * @param prices of the model when the call was made. Undefined: unknown
 * @param serviceTier tier in which the provider says it served the call. The table has only the prices of the usual
 * tier; configured prices apply to every tier
 */
export function costOf(usage: Usage, prices: ModelPrices | undefined, serviceTier = ""): Cost | undefined {
  if (usage.cost?.source === CostSource.PROVIDER) return usage.cost;
  if (prices === undefined || usage.quality === UsageQuality.UNSPECIFIED) return undefined;
  if (prices.source === CostSource.PRICE_TABLE && !usualTiers.has(serviceTier.toLowerCase())) return undefined;
  const cost = picoCostOf(usage, prices);
  if (cost === undefined) return undefined;
  return {
    $typeName: "dragoman.v1.Cost",
    totalNanos: nanosOf(cost.total),
    inputNanos: nanosOf(cost.input),
    cachedInputNanos: nanosOf(cost.cachedInput),
    cacheWriteNanos: nanosOf(cost.cacheWrite),
    outputNanos: nanosOf(cost.output),
    otherNanos: nanosOf(cost.other),
    source: prices.source,
    priceVersion: prices.version,
  };
}

/**
 * Computes the exact cost of a call. The whole prompt selects the tier. Each token has one kind: cached tokens and
 * those that are written to the cache count as text, since no provider says what they are; the others are audio, images
 * and text. Undefined: the price of something that the call used is unknown.
 */
export function picoCostOf(usage: Usage, prices: ModelPrices): PicoCost | undefined {
  const tier = tierOf(prices, usage.inputTokens);
  const other = toolCost(usage.serverToolRequests, prices);
  if (other === undefined) return undefined;

  const prompt = new Tokens(usage.inputTokens);
  const cachedInput = prompt.take(usage.cachedInputTokens) * (tier.cachedInput ?? tier.input);
  const written = new Tokens(Number(prompt.take(usage.cacheWriteInputTokens)));
  const writtenFor1h = written.take(usage.cacheWrite1hInputTokens);
  const usualWrite = tier.cacheWrite ?? tier.input;
  const longWrite = tier.cacheWrite1h ?? (knows1h(prices, tier.cacheWrite) ? usualWrite : undefined);
  if (writtenFor1h > 0n && longWrite === undefined) return undefined;
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

/** Returns the fees of a call. Undefined if it used a tool whose price is unknown. */
function toolCost(requests: Readonly<Record<string, number>>, prices: ModelPrices): bigint | undefined {
  let cost = prices.request;
  for (const [tool, count] of Object.entries(requests)) {
    if (count === 0) continue;
    const price = lookUp(toolPrices, tool)?.(prices);
    if (price === undefined) return undefined;
    cost += price * BigInt(count);
  }
  return cost;
}

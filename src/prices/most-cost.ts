import type { ModelPrices, PriceTier } from "./model-prices.ts";
import { nanosOf } from "./picodollars.ts";

/**
 * Returns an upper bound of what a request costs, in nanodollars: every token has the highest price of its side, such as
 * that of cache writes. It does not include tools that the provider runs.
 *
 * @param inputTokens upper bound, of all choices together
 * @param outputTokens upper bound, of all choices together
 * @param serviceTier tier of the request. A provider can serve it in the usual tier instead. Empty: the usual one
 */
export function mostCost(prices: ModelPrices, inputTokens: number, outputTokens: number, serviceTier: string): bigint {
  const usual = mostInTier(prices, inputTokens, outputTokens);
  const inTier = prices.serviceTiers?.get(serviceTier.toLowerCase());
  const other = inTier === undefined ? 0n : mostInTier(inTier, inputTokens, outputTokens);
  return other > usual ? other : usual;
}

function mostInTier({ tiers, request }: ModelPrices, inputTokens: number, outputTokens: number): bigint {
  let [input, output] = [0n, 0n];
  for (const tier of tiers) {
    if (tier.fromInputTokens > inputTokens) continue;
    const most = highestOf(tier);
    if (most.input > input) input = most.input;
    if (most.output > output) output = most.output;
  }
  return nanosOf(request + input * BigInt(Math.ceil(inputTokens)) + output * BigInt(Math.ceil(outputTokens)));
}

/** Highest price of each side. */
interface HighestPrices {
  readonly input: bigint;
  readonly output: bigint;
}

/** Tiers do not change, and every call that a budget applies to needs their highest prices. */
const knownTiers = new WeakMap<PriceTier, HighestPrices>();

function highestOf(tier: PriceTier): HighestPrices {
  const known = knownTiers.get(tier);
  if (known !== undefined) return known;
  const { input, cachedInput, cacheWrite, cacheWrite1h, audioInput, imageInput } = tier;
  const { output, reasoningOutput, audioOutput, imageOutput } = tier;
  const found = {
    input: highest([input, cachedInput, cacheWrite, cacheWrite1h, audioInput, imageInput]),
    output: highest([output, reasoningOutput, audioOutput, imageOutput]),
  };
  knownTiers.set(tier, found);
  return found;
}

function highest(prices: readonly (bigint | undefined)[]): bigint {
  let most = 0n;
  for (const price of prices) if (price !== undefined && price > most) most = price;
  return most;
}

import type { CostSource } from "../gen/dragoman/v1/usage_pb.js";

/**
 * Prices for prompts of a certain length, in picodollars per token (picodollars.ts). Undefined: the price of the usual
 * kind applies, which is `input` or `output`.
 */
export interface PriceTier {
  /** Number of prompt tokens, cached ones included, from which the tier applies. 0 for the first tier. */
  readonly fromInputTokens: number;
  readonly input: bigint;
  /** Tokens that are read from the prompt cache. */
  readonly cachedInput: bigint | undefined;
  /** Tokens that are written to the prompt cache for the usual time, which is five minutes at Anthropic. */
  readonly cacheWrite: bigint | undefined;
  /** Tokens that are written to the prompt cache for one hour. Undefined: as `cacheWrite`, or unknown (cost.ts). */
  readonly cacheWrite1h: bigint | undefined;
  readonly audioInput: bigint | undefined;
  readonly imageInput: bigint | undefined;
  readonly output: bigint;
  readonly reasoningOutput: bigint | undefined;
  readonly audioOutput: bigint | undefined;
  readonly imageOutput: bigint | undefined;
}

/** Prices of one model at one time. */
export interface ModelPrices {
  /** Ordered by `fromInputTokens`. */
  readonly tiers: readonly [PriceTier, ...PriceTier[]];
  /** Fee of each request, in picodollars. 0: the model has no such fee. */
  readonly request: bigint;
  /** Price of a web search that the provider runs, in picodollars. Undefined: unknown. */
  readonly webSearch: bigint | undefined;
  /** Prices in service tiers with other prices, by the tier's name in lower case. Undefined: none is known. */
  readonly serviceTiers?: ReadonlyMap<string, ModelPrices>;
  /** COST_SOURCE_PRICE_TABLE or COST_SOURCE_CONFIGURATION. */
  readonly source: CostSource.PRICE_TABLE | CostSource.CONFIGURATION;
  /** Version of the price table, or of the configured prices: other prices have another version. */
  readonly version: string;
}

/** Prices that the configuration sets for one model, in picodollars per token. */
export interface TokenPrices {
  readonly input: bigint;
  /** Default: `input`. */
  readonly cachedInput: bigint | undefined;
  /** Default: `input`. */
  readonly cacheWrite: bigint | undefined;
  /** Default: `cacheWrite`. */
  readonly cacheWrite1h: bigint | undefined;
  readonly output: bigint;
}

/** An entry of the configuration's `prices`. */
export interface PriceOverride {
  /** Name in the configuration. */
  readonly name: string;
  /** `Model.id` that the name means. */
  readonly id: string;
  /** Provider and provider model whose other names have the prices too. Undefined for a deployment. */
  readonly target: { readonly provider: string; readonly providerModel: string } | undefined;
  readonly prices: TokenPrices;
}

/** Returns the tier of a prompt. */
export function tierOf({ tiers }: Pick<ModelPrices, "tiers">, inputTokens: number): PriceTier {
  return tiers.findLast(({ fromInputTokens }) => fromInputTokens <= inputTokens) ?? tiers[0];
}

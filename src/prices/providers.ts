import type { Knowledge } from "../models/knowledge.ts";

/** Providers whose models have prices in the table. */
interface PricedProvider {
  /**
   * Providers of @pydantic/genai-prices that list the models, the first match wins. Their own list of further
   * providers (`fallback_model_providers`) is not used: for Azure it names vendors with other prices.
   */
  readonly tables: readonly string[];
  /** Whether operators choose the model names, so that only a name that the table lists whole has a price. */
  readonly ownNames?: boolean;
}

interface PricedProviders extends Knowledge {
  /** By provider, or by the dialect of a further provider. */
  readonly providers: Readonly<Record<string, PricedProvider>>;
}

/**
 * Where the price of `provider/model` is in the table. A provider that is not listed has no prices: DeepInfra reports
 * its own cost, LLM Engine has no public prices, and operators run the others themselves.
 */
export const pricedProviders: PricedProviders = {
  about: "names of the providers in @pydantic/genai-prices",
  sources: [
    { from: "npm @pydantic/genai-prices 0.1.8: ids of its providers, and their pricing_urls", read: "2026-11-28" },
  ],
  providers: {
    openai: { tables: ["openai"] },
    // The deployments of Azure, at the prices of the deployment type Global Standard.
    "azure-openai": { tables: ["azure", "openai"], ownNames: true },
    anthropic: { tables: ["anthropic"] },
    gemini: { tables: ["google"] },
    // Claude at Vertex AI has Anthropic's prices at the global endpoint.
    vertex: { tables: ["google", "anthropic"] },
    // Ids with the prefix of a group of regions have their own rows: they cost more than `global.` ids.
    bedrock: { tables: ["aws"] },
    openrouter: { tables: ["openrouter"] },
    mistral: { tables: ["mistral"] },
    cohere: { tables: ["cohere"] },
    groq: { tables: ["groq"] },
    xai: { tables: ["x-ai"] },
    deepseek: { tables: ["deepseek"] },
    moonshot: { tables: ["moonshotai"] },
    cerebras: { tables: ["cerebras"] },
    together: { tables: ["together"] },
    fireworks: { tables: ["fireworks"] },
    perplexity: { tables: ["perplexity"] },
  },
};

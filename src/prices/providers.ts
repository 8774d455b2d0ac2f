import type { Knowledge } from "../models/knowledge.ts";

/** Where the prices of a provider's models are. */
export interface PricedProvider {
  /**
   * Providers of @pydantic/genai-prices that list the models, the first match wins. Their own list of further
   * providers (`fallback_model_providers`) is not used: for Azure it names vendors with other prices. Empty: none does.
   */
  readonly tables: readonly string[];
  /** Whether operators choose the model names, so that only a name that the table lists whole has a price. */
  readonly ownNames?: boolean;
  /** Whether responses state what they cost, so that a price is needed only for those that break off. */
  readonly statesCost?: boolean;
  /** Types of tools that the provider runs for a fee, if its usage does not count how often they ran. */
  readonly uncountedTools?: RegExp;
  /** Whether the models run inside Dragoman, so that they cost nothing. */
  readonly isFree?: boolean;
}

interface PricedProviders extends Knowledge {
  /** By provider, or by the dialect of a further provider. All providers and dialects are listed. */
  readonly providers: Readonly<Record<string, PricedProvider>>;
}

/** A provider without published prices: operators run such servers, or know what they pay for them. */
const unpublished: PricedProvider = { tables: [] };

const everyTool = /./;

/**
 * URL context and code execution have no fee (https://ai.google.dev/gemini-api/docs/pricing). Claude's tools, whose types
 * end with a day, are counted.
 */
const googleTools = /^(?!url_?context$|code_?execution$|\w+_\d{8}$)/i;

/** Where the price of `provider/model` is in the table. */
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
    gemini: { tables: ["google"], uncountedTools: googleTools },
    // Claude at Vertex AI has Anthropic's prices at the global endpoint.
    vertex: { tables: ["google", "anthropic"], uncountedTools: googleTools },
    // Ids with the prefix of a group of regions have their own rows: they cost more than `global.` ids.
    bedrock: { tables: ["aws"] },
    openrouter: { tables: ["openrouter"], statesCost: true },
    mistral: { tables: ["mistral"], uncountedTools: everyTool },
    cohere: { tables: ["cohere"] },
    groq: { tables: ["groq"], uncountedTools: everyTool },
    xai: { tables: ["x-ai"], statesCost: true },
    deepseek: { tables: ["deepseek"] },
    moonshot: { tables: ["moonshotai"] },
    cerebras: { tables: ["cerebras"] },
    together: { tables: ["together"] },
    fireworks: { tables: ["fireworks"] },
    perplexity: { tables: ["perplexity"], statesCost: true },
    deepinfra: { tables: [], statesCost: true },
    echo: { tables: [], isFree: true },
    local: { tables: [], isFree: true },
    "llm-engine": unpublished,
    vllm: unpublished,
    sglang: unpublished,
    ollama: unpublished,
    llamacpp: unpublished,
    lmstudio: unpublished,
    "chat-completions": unpublished,
  },
};

import type { Knowledge } from "../models/knowledge.ts";
import type { TablePrice, TablePrices } from "./table.ts";

/** Rows that come before those of the price table. */
interface OwnRows extends Knowledge {
  /** Version of the prices, for records. */
  readonly version: string;
  /** Prices by provider of the table, then by name in lower case. `unknown`: sources disagree, so there is no price. */
  readonly providers: Readonly<Record<string, Readonly<Record<string, TablePrices | "unknown">>>>;
}

/** A price for prompts up to a length, and another one above it. */
const above = (start: number, base: number, price: number): TablePrice => ({ base, tiers: [{ start, price }] });

/** Returns a price times a factor, in each tier. */
function times(price: TablePrice, factor: number): TablePrice {
  if (typeof price === "number") return price * factor;
  return { base: price.base * factor, tiers: price.tiers.map((tier) => ({ ...tier, price: tier.price * factor })) };
}

/** Prices of text. An undefined price of cached input: there is no prompt cache, or no lower price. */
function text(input: TablePrice, cached: TablePrice | undefined, output: TablePrice): TablePrices {
  return { input_mtok: input, ...(cached !== undefined && { cache_read_mtok: cached }), output_mtok: output };
}

/** Prices of embeddings, which have no output. */
function embedding(input: number): TablePrices {
  return text(input, undefined, 0);
}

/** Prices of Claude: cache writes cost 1.25 times the input, those of one hour twice the input. */
function claude(input: TablePrice, cached: TablePrice, output: TablePrice): TablePrices {
  const writes = { cache_write_mtok: times(input, 1.25), cache_write_1h_mtok: times(input, 2) };
  return { ...text(input, cached, output), ...writes, web_searches_kcount: 10 };
}

/** Prices of GPT-6.1: cache writes cost 1.25 times the input. */
function gpt(input: TablePrice, cached: TablePrice, output: TablePrice): TablePrices {
  return { ...text(input, cached, output), cache_write_mtok: times(input, 1.25), web_searches_kcount: 10 };
}

const sonnet55 = (factor: number) => claude(2 * factor, 0.1 * factor, 10 * factor);
const haiku55 = (factor: number) =>
  claude(
    above(100_000, 0.1 * factor, 0.5 * factor),
    above(100_000, 0.01 * factor, 0.05 * factor),
    above(100_000, 0.5 * factor, 2.5 * factor),
  );
/** Factor of Bedrock's prices in a group of regions. */
const regional = 1.1;

/** Returns rows without a price, for names with the same beginning. */
function unknown(beginning: string, ...ends: readonly string[]): Readonly<Record<string, "unknown">> {
  return Object.fromEntries(ends.map((end) => [`${beginning}${end}`, "unknown"]));
}

const fireworks = "accounts/fireworks/models";

/**
 * Models of the catalog that are newer than the price table, and names of which the table has another price than its
 * sources. Remove a row when a new version of the table has its price: the tests then fail.
 */
export const ownRows: OwnRows = {
  about: "prices of models that @pydantic/genai-prices 0.1.8 lacks",
  sources: [
    {
      from: "PyPI litellm 1.110.2, model_prices_and_context_window_backup.json, with the vendors' pages",
      read: "2026-11-29",
    },
    {
      from: "https://platform.claude.com/docs/en/about-claude/pricing: the factors of cache writes",
      read: "2026-11-29",
    },
  ],
  version: "litellm 1.110.2",
  providers: {
    openai: {
      "gpt-6.1-sol": gpt(above(272_000, 2, 4), above(272_000, 0.1, 0.2), above(272_000, 10, 15)),
      "gpt-6.1-terra": gpt(above(272_000, 1, 2), above(272_000, 0.05, 0.1), above(272_000, 5, 7.5)),
      // The table lacks the prices of audio, which are much higher than those of text, and the fee of each search.
      ...unknown("gpt-4o-audio-preview", "", "-2024-10-01", "-2024-12-17", "-2025-06-03"),
      ...unknown("gpt-4o-mini-audio-preview", "", "-2024-12-17"),
      ...unknown("gpt-4o-search-preview", "", "-2025-03-11"),
      ...unknown("gpt-4o-mini-search-preview", "", "-2025-03-11"),
    },
    anthropic: { "claude-sonnet-5-5": sonnet55(1), "claude-haiku-5-5": haiku55(1) },
    aws: {
      "global.anthropic.claude-sonnet-5-5": sonnet55(1),
      "us.anthropic.claude-sonnet-5-5": sonnet55(regional),
      "eu.anthropic.claude-sonnet-5-5": sonnet55(regional),
      "global.anthropic.claude-haiku-5-5": haiku55(1),
      "us.anthropic.claude-haiku-5-5": haiku55(regional),
      "us.anthropic.claude-fable-5": claude(11, 1.1, 55),
      "us.anthropic.claude-fable-5-1": claude(11, 0.275, 55),
      // The table has the prices of the United States.
      ...unknown("eu.amazon.nova-", "micro-v1:0", "lite-v1:0", "pro-v1:0", "2-lite-v1:0"),
      ...unknown("apac.amazon.nova-", "micro-v1:0", "lite-v1:0", "pro-v1:0"),
      ...unknown("jp.amazon.nova-", "2-lite-v1:0"),
      "amazon.titan-embed-text-v2:0": embedding(0.02),
      "amazon.nova-2-multimodal-embeddings-v1:0": embedding(0.135),
      "cohere.embed-v4:0": embedding(0.12),
      "cohere.embed-english-v3": embedding(0.1),
      "cohere.embed-multilingual-v3": embedding(0.1),
    },
    google: {
      "gemini-4-hydrogen": text(1.5, 0.075, 7.5),
      "gemini-4-argon": text(2, 0.1, 10),
      "text-embedding-005": embedding(0.1),
      "text-multilingual-embedding-002": embedding(0.1),
    },
    cohere: {
      "embed-v5.0-pro": embedding(0.12),
      "embed-v5.0-fast": embedding(0.08),
      "embed-english-v3.0": embedding(0.1),
      "embed-multilingual-v3.0": embedding(0.1),
    },
    perplexity: { "pplx-embed-v1-4b": embedding(0.03), "pplx-embed-v1-0.6b": embedding(0.004) },
    cerebras: { "qwen-3.8-27b": text(0.99, undefined, 1.49) },
    groq: {
      "qwen/qwen3.8-27b": text(0.8, undefined, 4),
      // Half of it in the other table.
      "openai/gpt-oss-safeguard-20b": "unknown",
    },
    "x-ai": { "grok-4.7": text(above(200_000, 2, 4), above(200_000, 0.5, 1), above(200_000, 6, 12)) },
    moonshotai: { "kimi-k3.1-pro": kimi(2, 10), "kimi-k3.1-pro-highspeed": kimi(4, 20) },
    mistral: {
      "codestral-embed": embedding(0.15),
      "mistral-large-4": text(0.7, 0.07, 2.1),
      "ministral-14b-latest": text(0.2, 0.02, 0.2),
      "zai-glm-5-3": text(1.4, 0.14, 4.4),
      "zai-glm-5-3-flash": text(0.15, 0.03, 0.5),
      "zai-glm-5-2": text(1.4, 0.14, 4.4),
      // These names move to newer models; the tables have the prices of different ones.
      "mistral-large-latest": "unknown",
      "mistral-small-latest": "unknown",
      "magistral-medium-latest": "unknown",
      "magistral-small-latest": "unknown",
    },
    together: {
      "deepseek-ai/deepseek-v4-pro-0813": text(1.32, 0.13, 3.96),
      "deepseek-ai/deepseek-v4.1-flash": text(0.3, 0.006, 1.2),
      "meta-models/muse-spark-open-816b-a42b": text(1.25, 0.15, 4.25),
      "minimaxai/minimax-m3": text(0.3, 0.06, 1.2),
      "moonshotai/kimi-k3": text(3, 0.3, 15),
      "moonshotai/kimi-k3.1-pro": text(2, 0.2, 10),
      "nvidia/nvidia-nemotron-3.5-super-vl": text(0.15, 0.02, 0.5),
      "openai/gpt-oss-120b": text(0.15, undefined, 0.6),
      "qwen/qwen3.5-9b": text(0.17, undefined, 0.25),
      "qwen/qwen3.6-plus": text(0.5, undefined, 3),
      "qwen/qwen3.7-max": text(2.5, 0.5, 7.5),
      "reflection/beam-1.0-501b-a23b": text(0.4, 0.04, 1.2),
      "thinkingmachines/inkling": text(1, 0.17, 4.05),
      "zai-org/glm-5.2": text(1.4, 0.26, 4.4),
      "zai-org/glm-5.3": text(1.4, 0.26, 4.4),
      "zai-org/glm-5.3-flash": text(0.15, 0.03, 0.5),
    },
    fireworks: {
      [`${fireworks}/deepseek-v4p1-flash`]: text(0.3, 0.006, 1.2),
      [`${fireworks}/deepseek-v4p1-flash-1017`]: text(0.3, 0.006, 1.2),
      [`${fireworks}/ember-1`]: text(3, 0.3, 15),
      [`${fireworks}/minimax-m3p1-flash`]: text(0.15, 0.015, 0.6),
      [`${fireworks}/muse-spark-open`]: text(1.25, 0.15, 4.25),
      [`${fireworks}/qwen3p8-max`]: text(2, 0.25, 6),
      [`${fireworks}/glm-5p3`]: text(1.4, 0.26, 4.4),
      [`${fireworks}/glm-5p3-flash`]: text(0.15, 0.03, 0.5),
      [`${fireworks}/kimi-k3p1-pro`]: text(2, 0.2, 10),
    },
  },
};

/** Prices of Kimi K3.1 Pro: cache writes cost the input, those of one hour twice the input. */
function kimi(input: number, output: number): TablePrices {
  return { ...text(input, 0.2, output), cache_write_mtok: input, cache_write_1h_mtok: times(input, 2) };
}

import { readFileSync, writeFileSync } from "node:fs";
import { findProvider, type ModelInfo, type ModelPrice } from "@pydantic/genai-prices";
import { priceDecimals } from "../src/prices/picodollars.ts";
import { pricedProviders } from "../src/prices/providers.ts";
import { readKinds } from "../src/prices/table.ts";

// Copies the rows of @pydantic/genai-prices that Dragoman uses to src/prices/table.json, one line for each model.

const table = new URL("../src/prices/table.json", import.meta.url);
const folder = new URL("../node_modules/@pydantic/genai-prices/", import.meta.url);

const read: ReadonlySet<string> = new Set(readKinds);

/** Kinds that no usage of a chat call counts. */
const ignored: ReadonlySet<string> = new Set([
  // Searches in OpenAI's vector stores, a tool of the Responses API.
  "storage_searches_kcount",
  // No API says how many of the cached tokens are audio or images: Dragoman takes them for text (cost.ts).
  "cache_audio_read_mtok",
  "cache_image_read_mtok",
]);

/** Returns the kinds that Dragoman reads. Undefined: a call could cost something that Dragoman would not count. */
function readable({ input_video_mtok, ...prices }: ModelPrice, isEmbedding: boolean): ModelPrice | undefined {
  // Embeddings have no output, and Dragoman sends no videos to their models.
  const set: ModelPrice = isEmbedding
    ? { ...prices, output_mtok: 0 }
    : { ...prices, ...(input_video_mtok && { input_video_mtok }) };
  const kinds = Object.keys(set).filter((kind) => !ignored.has(kind));
  if (set.input_mtok === undefined || set.output_mtok === undefined) return undefined;
  if (!kinds.every((kind) => read.has(kind))) return undefined;
  return Object.fromEntries(kinds.map((kind) => [kind, set[kind as keyof typeof set]]));
}

/** Providers of the package that sell Claude at Anthropic's factors. */
const claudeSellers: ReadonlySet<string> = new Set(["aws", "google"]);

/**
 * Adds the price of cache writes for an hour to rows of Claude that lack it: twice the price of the input, where writes
 * for five minutes cost 1.25 times as much. https://platform.claude.com/docs/en/about-claude/pricing has both factors,
 * and LiteLLM's table has this price for each Claude at Bedrock and Vertex AI (read 2026-11-29).
 */
function withLongWrites(provider: string, id: string, prices: ModelPrice): ModelPrice {
  const { input_mtok: input, cache_write_mtok: write, cache_write_1h_mtok: known } = prices;
  if (!claudeSellers.has(provider) || !id.includes("claude") || known !== undefined) return prices;
  const isUsual = JSON.stringify(times(input, 1.25)) === JSON.stringify(write);
  return isUsual ? { ...prices, cache_write_1h_mtok: times(input, 2) } : prices;
}

function times(price: ModelPrice["input_mtok"], factor: number): ModelPrice["input_mtok"] {
  const one = (dollars: number) => Number((dollars * factor).toFixed(priceDecimals));
  if (price === undefined || typeof price === "number") return price && one(price);
  return { base: one(price.base), tiers: price.tiers.map((tier) => ({ ...tier, price: one(tier.price) })) };
}

/** The package takes the second version of a model for the first, which costs five times as much. */
function matchOf(id: string, match: ModelInfo["match"]): ModelInfo["match"] {
  return id === "amazon.titan-embed-text-v1" ? { equals: id } : match;
}

function rowOf(provider: string, { id, match, prices }: ModelInfo): unknown {
  const isEmbedding = JSON.stringify(match).includes("embed");
  const pricesOf = (set: ModelPrice) => readable(withLongWrites(provider, id, set), isEmbedding);
  if (!Array.isArray(prices)) {
    const kept = pricesOf(prices);
    return kept && { id, match: matchOf(id, match), prices: kept };
  }
  const dated = prices.map((one) => ({ ...one, prices: pricesOf(one.prices) }));
  return dated.every((one) => one.prices !== undefined) ? { id, match, prices: dated } : undefined;
}

/** Returns the content of the price table for the installed package. */
export function generatedTable(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  const notice = readFileSync(new URL("LICENSE", folder), "utf8").trim();
  const names = [...new Set(Object.values(pricedProviders.providers).flatMap(({ tables }) => tables))].sort();
  const providers = names.map((name) => {
    const models = findProvider({ providerId: name })?.models ?? [];
    const rows = models.map((model) => rowOf(name, model)).filter((row) => row !== undefined);
    return `${JSON.stringify(name)}:[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]`;
  });
  return `{"version":"genai-prices ${version}",\n"notice":${JSON.stringify(notice)},\n"providers":{\n${providers.join(",\n")}\n}}\n`;
}

if (import.meta.main) writeFileSync(table, generatedTable());

import { readFileSync, writeFileSync } from "node:fs";
import { findProvider, type ModelInfo, type ModelPrice } from "@pydantic/genai-prices";
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
function readable(prices: ModelPrice): ModelPrice | undefined {
  const kinds = Object.keys(prices).filter((kind) => !ignored.has(kind));
  if (prices.input_mtok === undefined || prices.output_mtok === undefined) return undefined;
  if (!kinds.every((kind) => read.has(kind))) return undefined;
  return Object.fromEntries(kinds.map((kind) => [kind, prices[kind]]));
}

function rowOf({ id, match, prices }: ModelInfo): unknown {
  if (!Array.isArray(prices)) {
    const kept = readable(prices);
    return kept && { id, match, prices: kept };
  }
  const dated = prices.map((one) => ({ ...one, prices: readable(one.prices) }));
  return dated.every((one) => one.prices !== undefined) ? { id, match, prices: dated } : undefined;
}

/** Returns the content of the price table for the installed package. */
export function generatedTable(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  const notice = readFileSync(new URL("LICENSE", folder), "utf8").trim();
  const names = [...new Set(Object.values(pricedProviders.providers).flatMap(({ tables }) => tables))].sort();
  const providers = names.map((name) => {
    const rows = (findProvider({ providerId: name })?.models ?? []).map(rowOf).filter((row) => row !== undefined);
    return `${JSON.stringify(name)}:[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]`;
  });
  return `{"version":"genai-prices ${version}",\n"notice":${JSON.stringify(notice)},\n"providers":{\n${providers.join(",\n")}\n}}\n`;
}

if (import.meta.main) writeFileSync(table, generatedTable());

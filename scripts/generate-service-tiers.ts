import { writeFileSync } from "node:fs";
import { compileRow, pricesAt } from "../src/prices/compile.ts";
import { createPriceList } from "../src/prices/price-list.ts";
import type { ServiceTierRow } from "../src/prices/service-tiers.ts";
import type { TablePrice, TablePrices } from "../src/prices/table.ts";
import { type LiteLlmModel, readLiteLlmTable } from "./litellm-prices.ts";

// Writes src/prices/service-tiers.json from the newest version of LiteLLM's table of prices. A model is left out if its usual prices are others than those of
// Dragoman's price table, because one of the two is out of date, or if the tier lacks a kind of tokens that has a price
// of its own.

/** Providers whose adapters send `service_tier`, and whose responses do not state their cost. */
const sold = ["openai", "azure-openai", "gemini", "bedrock", "fireworks"];

const notice = `MIT License

Copyright (c) 2023 Berri AI

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

const { version, modelsOf } = readLiteLlmTable();
const prices = createPriceList();

function rowOf(provider: string, { name, prices: usual, serviceTiers }: LiteLlmModel): ServiceTierRow | undefined {
  const known = prices.pricesOf({ id: name, provider, providerModel: name })?.tiers[0];
  const theirs = pricesAt(compileRow({ prices: usual }, version), Date.now())?.tiers[0];
  if (known === undefined || known.input !== theirs?.input || known.output !== theirs.output) return undefined;
  const kinds = Object.keys(usual).filter((kind) => kind !== "output_reasoning_mtok");
  const whole = Object.entries(serviceTiers).filter(([, tier]) => kinds.every((kind) => kind in tier));
  if (whole.length === 0) return undefined;
  return { usual: [baseOf(usual.input_mtok), baseOf(usual.output_mtok)], tiers: Object.fromEntries(whole) };
}

function baseOf(price: TablePrices["input_mtok"]): number {
  if (price === undefined) throw new Error("LiteLLM's table has a row without token prices");
  return typeof price === "number" ? price : (price satisfies TablePrice).base;
}

const providers = sold.map((provider) => {
  const rows = modelsOf(provider).flatMap((model) => {
    const row = rowOf(provider, model);
    return row === undefined ? [] : [`${JSON.stringify(model.name)}:${JSON.stringify(row)}`];
  });
  console.log(`${provider}: ${rows.length} models`);
  return `${JSON.stringify(provider)}:{\n${rows.sort().join(",\n")}\n}`;
});
writeFileSync(
  new URL("../src/prices/service-tiers.json", import.meta.url),
  `{"version":${JSON.stringify(version)},\n"notice":${JSON.stringify(notice)},\n"providers":{\n${providers.join(",\n")}\n}}\n`,
);

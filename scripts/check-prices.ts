import { compileRow, pricesAt } from "../src/prices/compile.ts";
import { type ModelPrices, type PriceTier, tierOf } from "../src/prices/model-prices.ts";
import { formatPrice } from "../src/prices/picodollars.ts";
import { createPriceList } from "../src/prices/price-list.ts";
import { pricedProviders } from "../src/prices/providers.ts";
import { priceTable } from "../src/prices/table.ts";
import { listedModels } from "../src/providers/registry.ts";
import { type LiteLlmModel, readLiteLlmTable } from "./litellm-prices.ts";

// Compares Dragoman's price table with LiteLLM's, and prints the prices that differ by more than 1 %, and the models
// that only one of them has. A difference is not a failure, since either side may be wrong: look at the vendor's page.
// `npm run prices -- <file>` reads a saved table. Default: that of the newest package at PyPI.

/** Share of a price from which a difference is printed. */
const tolerance = 0.01;

/** Maximum number of models to name in one line. The rest are only counted. */
const maxNamed = 12;

const table = readLiteLlmTable(process.argv[2]);
const prices = createPriceList();
const now = new Date();

/** Prices of a tier that are compared, each with the kind of tokens whose price applies if it is unset. */
const kinds: readonly (readonly [name: string, price: keyof PriceTier, usual: "input" | "output" | undefined])[] = [
  ["input", "input", undefined],
  ["cached input", "cachedInput", "input"],
  ["cache write", "cacheWrite", "input"],
  ["cache write of 1 h", "cacheWrite1h", undefined],
  ["audio input", "audioInput", "input"],
  ["image input", "imageInput", "input"],
  ["output", "output", undefined],
  ["reasoning", "reasoningOutput", "output"],
  ["audio output", "audioOutput", "output"],
  ["image output", "imageOutput", "output"],
];

console.log(`${priceTable().version} against ${table.version}, US dollars per million tokens`);
for (const [provider, { tables }] of Object.entries(pricedProviders.providers)) {
  // Nobody publishes prices of the others, or their responses state the cost.
  if (tables.length > 0) report(provider);
}

function report(provider: string): void {
  const theirs = table.modelsOf(provider);
  const lines: string[] = [];
  const onlyTheirs: string[] = [];
  let compared = 0;
  for (const model of theirs) {
    const ours = pricesOf(provider, model.name);
    if (ours === undefined) {
      onlyTheirs.push(model.name);
      continue;
    }
    compared++;
    lines.push(...differences(model, ours));
  }
  const known = new Set(theirs.map(({ name }) => name));
  const catalog = listedModels({}).filter((model) => model.provider === provider);
  const names = [...new Set(catalog.map(({ providerModel }) => providerModel))];
  const unpriced = names.filter((name) => pricesOf(provider, name) === undefined);
  const onlyOurs = names.filter((name) => !unpriced.includes(name) && !known.has(name.toLowerCase()));
  console.log(`\n${provider}: ${compared} models compared, ${lines.length} differences`);
  for (const line of lines) console.log(`  ${line}`);
  for (const line of named("price only in LiteLLM", onlyTheirs)) console.log(`  ${line}`);
  for (const line of named("price only in Dragoman, of models of the catalog", onlyOurs)) console.log(`  ${line}`);
  for (const line of named("models of the catalog without a price", unpriced)) console.log(`  ${line}`);
}

function pricesOf(provider: string, name: string): ModelPrices | undefined {
  return prices.pricesOf({ id: `${provider}/${name}`, provider, providerModel: name }, now);
}

/** Returns a line for each length of prompt from which prices differ. */
function differences({ name, prices: set }: LiteLlmModel, ours: ModelPrices): readonly string[] {
  const theirs = pricesAt(compileRow({ prices: set }, table.version), now.getTime());
  if (theirs === undefined) return [];
  // One table has the first length with another price, and the other one the last length before it.
  const lengths = [...ours.tiers, ...theirs.tiers].map(({ fromInputTokens: from }) => Math.floor(from / 1000) * 1000);
  return [...new Set(lengths)]
    .sort((a, b) => a - b)
    .flatMap((length) => {
      const lowest = length === 0 ? 0 : length + 1;
      const found = differencesOf(tierOf(ours, lowest), tierOf(theirs, lowest));
      const above = length === 0 ? "" : ` above ${length} tokens`;
      return found.length === 0 ? [] : [`${name}${above}: ${found.join("; ")}`];
    });
}

function differencesOf(ours: PriceTier, theirs: PriceTier): readonly string[] {
  return kinds.flatMap(([kind, price, usual]) => {
    if (ours[price] === undefined && theirs[price] === undefined) return [];
    const [our, their] = [ours, theirs].map((tier) => tier[price] ?? (usual && tier[usual]));
    if (typeof our !== "bigint" || typeof their !== "bigint") {
      return [`${kind} only ${our === undefined ? "in LiteLLM" : "here"}`];
    }
    const change = changeOf(our, their);
    if (Math.abs(change) <= tolerance) return [];
    const percent = `${change > 0 ? "+" : ""}${Math.round(change * 100)} %`;
    return [`${kind} ${formatPrice(our)}, LiteLLM ${formatPrice(their)} (${percent})`];
  });
}

/** Returns by which share of our price theirs is higher. */
function changeOf(ours: bigint, theirs: bigint): number {
  return ours === 0n ? (theirs === 0n ? 0 : Number.POSITIVE_INFINITY) : Number(theirs) / Number(ours) - 1;
}

function named(title: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : "";
  return [`${title}: ${names.slice(0, maxNamed).join(", ")}${more}`];
}

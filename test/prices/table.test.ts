import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { generatedTable } from "../../scripts/generate-prices.ts";
import { compileRow } from "../../src/prices/compile.ts";
import { matches } from "../../src/prices/match.ts";
import { ownRows } from "../../src/prices/own-rows.ts";
import { parsePrice } from "../../src/prices/picodollars.ts";
import { pricedProviders } from "../../src/prices/providers.ts";
import { priceTable, type TablePrices } from "../../src/prices/table.ts";
import { dialects } from "../../src/providers/registry.ts";

const rows = Object.entries(priceTable().providers).flatMap(([provider, models]) =>
  models.map((model) => ({ name: `${provider}/${model.id}`, model })),
);

it("has the rows of the installed package; otherwise run `npm run generate:prices`", () => {
  const file = new URL("../../src/prices/table.json", import.meta.url);
  expect(readFileSync(file, "utf8")).toBe(generatedTable());
});

it("has rows for each table of the mapping, which has all providers and dialects", () => {
  const names = dialects.map(({ name }) => name);
  expect(Object.keys(pricedProviders.providers).sort()).toEqual([...names].sort());
  for (const { tables } of Object.values(pricedProviders.providers)) {
    for (const table of tables) expect([table, priceTable().providers[table]?.length]).not.toEqual([table, 0]);
  }
  expect(rows.length).toBeGreaterThan(900);
});

it("has own rows only for names that the table has no price for, or another one", () => {
  for (const [provider, own] of Object.entries(ownRows.providers)) {
    expect(priceTable().providers).toHaveProperty(provider);
    for (const [name, prices] of Object.entries(own)) {
      const row = priceTable().providers[provider]?.find(({ match }) => matches(match, name));
      expect(name).toBe(name.toLowerCase());
      expect([name, prices === "unknown"]).toEqual([name, row !== undefined]);
    }
  }
});

/** Prices with more decimals than a picodollar has: a twelfth of a dollar per million tokens. */
const rounded = ["0.08333333333333334"];

it("compiles every token price exactly, except those that are rounded to picodollars", () => {
  const inexact = new Set<string>();
  const wrong: string[] = [];
  for (const { name, model } of rows) {
    const sets: readonly TablePrices[] = Array.isArray(model.prices)
      ? model.prices.map((dated: { readonly prices: TablePrices }) => dated.prices)
      : [model.prices as TablePrices];
    for (const [index, { prices }] of compileRow(model, "v").entries()) {
      const set = sets[index] ?? {};
      for (const tier of prices.tiers) {
        const compiled = [
          [set.input_mtok, tier.input],
          [set.output_mtok, tier.output],
          [set.cache_read_mtok, tier.cachedInput],
          [set.cache_write_mtok, tier.cacheWrite],
          [set.cache_write_1h_mtok, tier.cacheWrite1h],
          [set.input_audio_mtok, tier.audioInput],
          [set.output_audio_mtok, tier.audioOutput],
        ] as const;
        for (const [price, picos] of compiled) {
          if (price === undefined) {
            if (picos !== undefined) wrong.push(name);
            continue;
          }
          const all = typeof price === "number" ? [price] : [price.base, ...price.tiers.map((one) => one.price)];
          const exact = all.map((dollars) => parsePrice(String(dollars)));
          if (exact.includes("decimals")) for (const dollars of all) inexact.add(String(dollars));
          else if (!exact.some((one) => one === picos)) wrong.push(name);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  expect([...inexact]).toEqual(rounded);
});

it("has tiers in order, of which each costs at least what the one before costs", () => {
  for (const { name, model } of rows) {
    for (const { prices } of compileRow(model, "v")) {
      expect(prices.tiers[0].fromInputTokens).toBe(0);
      for (const [index, tier] of prices.tiers.entries()) {
        const before = prices.tiers[index - 1];
        if (before === undefined) continue;
        expect(tier.fromInputTokens).toBeGreaterThan(before.fromInputTokens);
        expect([name, tier.input >= before.input && tier.output >= before.output]).toEqual([name, true]);
      }
    }
  }
});

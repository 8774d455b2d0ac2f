import { readFileSync } from "node:fs";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { createPriceList } from "../../src/prices/price-list.ts";
import { costOf } from "./costs.ts";

interface Golden {
  readonly about: string;
  readonly model: string;
  readonly at: string;
  readonly serviceTier: string;
  readonly usage: JsonValue;
  /** Amounts in nanodollars, by their fields of Cost. */
  readonly cost: Readonly<Record<string, string>>;
}

// After a change of the price tables, run `python3 test/prices/golden/generate.py`.
const file = new URL("./golden/costs.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as readonly Golden[];
const list = createPriceList();

it("costs what an independent computation in exact fractions gives, to the nanodollar", () => {
  const computed = golden.map(({ model: id, at, serviceTier, usage, cost }) => {
    const [, provider = "", providerModel = ""] = /^([^/]+)\/(.+)$/.exec(id) ?? [];
    const prices = list.pricesOf({ id, provider, providerModel }, new Date(at));
    const used = { ...fromJson(UsageSchema, usage), quality: UsageQuality.EXACT };
    const known: Readonly<Record<string, unknown>> = { ...costOf(used, prices, serviceTier) };
    return Object.fromEntries(Object.keys(cost).map((part) => [part, String(known[part])]));
  });
  expect(computed).toEqual(golden.map(({ cost }) => cost));
});

it("has 200 usages of every kind, at many providers", () => {
  expect(golden).toHaveLength(200);
  expect(new Set(golden.map(({ model }) => model.split("/")[0])).size).toBeGreaterThanOrEqual(15);
  const kinds = new Set(golden.flatMap(({ usage }) => Object.keys(usage as object)));
  for (const { localName, fieldKind } of UsageSchema.fields) {
    if (fieldKind === "message" || fieldKind === "enum" || /^total|Prediction/.test(localName)) continue;
    expect(kinds).toContain(localName);
  }
  expect(golden.filter(({ serviceTier }) => serviceTier !== "").length).toBeGreaterThanOrEqual(15);
  expect(golden.filter(({ about }) => about.startsWith("prompt of")).length).toBeGreaterThanOrEqual(16);
});

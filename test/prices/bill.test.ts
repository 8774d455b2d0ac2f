import { create, type MessageInitShape } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CostSchema, CostSource, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { Bill } from "../../src/prices/bill.ts";
import { parsePrice } from "../../src/prices/picodollars.ts";
import { createPriceList, type PricedModel } from "../../src/prices/price-list.ts";

function model(path: string): PricedModel {
  const [, provider = "", providerModel = ""] = /^([^/]+)\/(.+)$/.exec(path) ?? [];
  return { id: path, provider, providerModel };
}

const usage = (init: MessageInitShape<typeof UsageSchema>) =>
  create(UsageSchema, { quality: UsageQuality.EXACT, ...init });

const stated = (totalNanos: bigint) =>
  usage({ inputTokens: 1, outputTokens: 1, cost: create(CostSchema, { totalNanos, source: CostSource.PROVIDER }) });

/** Configured prices of input and output tokens. */
function configured(path: string, input: string, output = "0") {
  const [inputPrice, outputPrice] = [parsePrice(input), parsePrice(output)];
  if (typeof inputPrice !== "bigint" || typeof outputPrice !== "bigint") throw new Error("not a price");
  const others = { cachedInput: undefined, cacheWrite: undefined, cacheWrite1h: undefined };
  return { name: path, id: path, target: model(path), prices: { input: inputPrice, output: outputPrice, ...others } };
}

const noon = new Date("2026-11-29T12:00:00Z");
const billWith = (...overrides: ReturnType<typeof configured>[]) => new Bill(createPriceList({ overrides }), noon);

describe("the bill of a call", () => {
  it("rounds the sum over its upstream requests once, while each request is rounded by itself", () => {
    const bill = billWith(configured("openai/x", "0.000100"));
    const charged = [1, 2, 3].map(() => bill.charge(model("openai/x"), usage({ inputTokens: 5 }), ""));
    // 500 picodollars each.
    expect(charged.map(({ cost }) => cost?.totalNanos)).toEqual([1n, 1n, 1n]);
    expect(bill.total(usage({ inputTokens: 5 })).cost?.totalNanos).toBe(2n);
  });

  it("differs from the sum of what its requests cost by rounding alone, whatever they used", () => {
    const requests = fc.array(fc.tuple(fc.nat(1e6), fc.nat(1e6)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(requests, fc.nat(1e9), fc.nat(1e9), (all, input, output) => {
        const overrides = configured("openai/x", (input / 1e6).toFixed(6), (output / 1e6).toFixed(6));
        const bill = billWith(overrides);
        let picos = 0n;
        let nanos = 0n;
        for (const [inputTokens, outputTokens] of all) {
          const { cost } = bill.charge(model("openai/x"), usage({ inputTokens, outputTokens }), "");
          nanos += cost?.totalNanos ?? 0n;
          picos += BigInt(inputTokens) * BigInt(input) + BigInt(outputTokens) * BigInt(output);
        }
        const total = bill.total(usage({})).cost?.totalNanos ?? -1n;
        expect(total).toBe((picos + 500n) / 1000n);
        const difference = total - nanos;
        expect(difference >= -all.length && difference <= all.length).toBe(true);
      }),
    );
  });

  it("keeps the tokens of the response, and has the cost of all requests", () => {
    const bill = billWith(configured("openai/x", "1.00"), configured("openai/y", "10.00"));
    bill.charge(model("openai/y"), usage({ inputTokens: 100 }), "");
    bill.charge(model("openai/x"), usage({ inputTokens: 7 }), "");
    const total = bill.total(usage({ inputTokens: 7 }));
    expect(total).toMatchObject({ inputTokens: 7, cost: { totalNanos: 1_007_000n, inputNanos: 1_007_000n } });
  });

  it("is unknown if any request has no known price, and names what has none", () => {
    const bill = billWith(configured("openai/x", "1.00"));
    bill.charge(model("openai/x"), usage({ inputTokens: 7 }), "");
    expect(bill.charge(model("openai/unknown"), usage({ inputTokens: 7 }), "").cost).toBeUndefined();
    expect(bill.charge(model("openai/gpt-4o"), usage({ inputTokens: 7 }), "scale").cost).toBeUndefined();
    expect(bill.total(usage({ inputTokens: 7 })).cost).toBeUndefined();
    expect(bill.unknown).toEqual(["openai/unknown", "the service tier scale of openai/gpt-4o"]);
  });

  it("is unknown without a word at a provider that publishes no prices", () => {
    const bill = billWith();
    expect(bill.charge(model("vllm/x"), usage({ inputTokens: 7 }), "").cost).toBeUndefined();
    expect(bill.total(usage({})).cost).toBeUndefined();
    expect(bill.unknown).toEqual([]);
  });

  it("is unknown if the provider runs a tool for a fee, and does not count how often", () => {
    const charge = (name: string, tool: string, used = usage({ inputTokens: 7 })) => {
      const bill = billWith(configured("openrouter/x", "1.00"));
      return [bill.charge(model(name), used, "", [tool]).cost !== undefined, bill.unknown];
    };
    expect(charge("gemini/gemini-2.5-flash", "google_search")).toEqual([
      false,
      ["the tool google_search of gemini/gemini-2.5-flash"],
    ]);
    expect(charge("gemini/gemini-2.5-flash", "url_context")).toEqual([true, []]);
    expect(charge("gemini/gemini-2.5-flash", "google_search", stated(7n))).toEqual([true, []]);
    for (const name of ["anthropic/claude-opus-5", "vertex/claude-opus-5"]) {
      expect(charge(name, "web_search_20260209")).toEqual([true, []]);
    }
  });

  it("is 0 for models that run inside Dragoman, unless the configuration has a price", () => {
    for (const name of ["echo/echo", "local/smollm2-135m-instruct"]) {
      const cost = { totalNanos: 0n, source: CostSource.PRICE_TABLE, priceVersion: "free" };
      expect(billWith().charge(model(name), usage({ inputTokens: 7 }), "")).toMatchObject({ cost });
    }
    const bill = billWith(configured("echo/echo", "1.00"));
    expect(bill.charge(model("echo/echo"), usage({ inputTokens: 7 }), "").cost?.totalNanos).toBe(7000n);
  });
});

describe("what providers state", () => {
  it("wins over a price, as a total without parts", () => {
    const bill = billWith(configured("deepinfra/x", "1.00"));
    bill.charge(model("deepinfra/x"), stated(40n), "flex");
    bill.charge(model("deepinfra/x"), stated(2n), "");
    expect(bill.total(usage({})).cost).toEqual(
      create(CostSchema, { totalNanos: 42n, source: CostSource.PROVIDER, priceVersion: "" }),
    );
  });

  it("is among the other fees if other requests have prices, so that the parts add up to the total", () => {
    const bill = billWith(configured("openai/x", "1.00"));
    bill.charge(model("deepinfra/x"), stated(42n), "");
    bill.charge(model("openai/x"), usage({ inputTokens: 7 }), "");
    expect(bill.total(usage({})).cost).toMatchObject({
      totalNanos: 7042n,
      inputNanos: 7000n,
      otherNanos: 42n,
      source: CostSource.CONFIGURATION,
    });
    bill.charge(model("openai/gpt-4o"), usage({ inputTokens: 2 }), "");
    expect(bill.total(usage({})).cost).toMatchObject({
      totalNanos: 12_042n,
      source: CostSource.PRICE_TABLE,
      priceVersion: expect.stringMatching(/^configuration-[0-9a-f]{8}, genai-prices \d/),
    });
  });
});

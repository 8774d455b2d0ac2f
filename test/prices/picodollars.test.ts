import * as fc from "fast-check";
import { expect, it } from "vitest";
import { formatPrice, nanosOf, parsePrice } from "../../src/prices/picodollars.ts";

it.each([
  ["2.50", 2_500_000n],
  ["0.003625", 3625n],
  ["0.000001", 1n],
  ["0", 0n],
  ["10", 10_000_000n],
  ["007.10", 7_100_000n],
  ["0.1000000000", 100_000n],
  ["1000000", 1_000_000_000_000n],
  [" 3 ", 3_000_000n],
])("reads %j dollars per million tokens as %s picodollars per token", (text, picos) => {
  expect(parsePrice(text)).toBe(picos);
});

it.each([
  ["1e-3", "exponent"],
  ["2E5", "exponent"],
  ["-1", "negative"],
  ["-0.5", "negative"],
  ["-1e-3", "negative"],
  ["0.0000001", "decimals"],
  ["0.30000000000000004", "decimals"],
  ["1000000.000001", "high"],
  ["9999999", "high"],
  ["", "form"],
  ["$2.50", "form"],
  ["2,50", "form"],
  ["2.", "form"],
  [".5", "form"],
  ["1_000", "form"],
  ["0x10", "form"],
  ["Infinity", "form"],
  ["NaN", "form"],
])("rejects the price %j because of its %s", (text, mistake) => {
  expect(parsePrice(text)).toBe(mistake);
});

it("rejects very long texts at once", () => {
  expect(parsePrice("9".repeat(1_000_000))).toBe("high");
  expect(parsePrice(`0.${"1".repeat(1_000_000)}`)).toBe("decimals");
  expect(parsePrice(`${"9".repeat(1_000_000)}x`)).toBe("form");
});

it("reads each price that it writes as the same price", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), (picos) => {
      const text = formatPrice(picos);
      expect(text).toMatch(/^\d+\.\d{2,6}$/);
      expect(parsePrice(text)).toBe(picos);
    }),
  );
});

it("rounds picodollars to nanodollars half up", () => {
  expect([0n, 499n, 500n, 1499n, 1500n].map(nanosOf)).toEqual([0n, 0n, 1n, 1n, 2n]);
});

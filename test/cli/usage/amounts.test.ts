import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactDollars, formatCount, formatDollars, formatShort } from "../../../src/cli/usage/amounts.ts";

describe("counts", () => {
  it.each([
    [0n, "0"],
    [999n, "999"],
    [1_234_567n, "1,234,567"],
    [12_345_678_901_234_567_890n, "12,345,678,901,234,567,890"],
  ])("%d has thousands separators: %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [9_999n, "9,999"],
    [10_000n, "10.0k"],
    [99_949n, "99.9k"],
    [99_950n, "100k"],
    [999_499n, "999k"],
    [999_500n, "1.00M"],
    [12_345_678n, "12.3M"],
    [9_876_543_210n, "9.88B"],
    [1_234_567_890_123n, "1.23T"],
    [1_234_567_890_123_456n, "1,235T"],
  ])("%d is %s in short", (count, text) => {
    expect(formatShort(count)).toBe(text);
  });

  it("take at most five characters in short, below a thousand trillions", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 999_000_000_000_000n }), (count) => {
        expect(formatShort(count).length).toBeLessThanOrEqual(5);
      }),
    );
  });
});

describe("amounts of money", () => {
  it.each([
    [[0n], ["$0.00"]],
    [
      [1_234_560_000_000n, 10_000_000n, 0n],
      ["$1,234.56", "$0.01", "$0.00"],
    ],
    [
      [12_345_000_000n, 4_200_000n],
      ["$12.3450", "$0.0042"],
    ],
    [
      [12_345_000_000n, 4_200n],
      ["$12.345000", "$0.000004"],
    ],
    [
      [400n, 1_000_000_000n],
      ["<$0.000001", "$1.000000"],
    ],
    [[999_999_999n], ["$1.00"]],
  ])("have so many digits that none looks like zero: %#", (amounts, texts) => {
    expect(formatDollars(amounts)).toEqual(texts);
  });

  it("are exact for programs", () => {
    expect([0n, 1n, 12_500_000_000n, 1_234_567_890_123n].map(exactDollars)).toEqual([
      ...["0.00", "0.000000001", "12.50", "1234.567890123"],
    ]);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (nanos) => {
        const [whole = "", fraction = ""] = exactDollars(nanos).split(".");
        expect(BigInt(whole + fraction.padEnd(9, "0"))).toBe(nanos);
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatDuration,
  formatSize,
  largestMessageBytes,
  longestTimerMs,
  parseCount,
  parseDecimal,
  parseDuration,
  parseShare,
  parseSize,
} from "../../src/config/quantities.ts";

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

describe("durations", () => {
  it("parses a duration as amount times unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.constantFrom("ms", "s", "m", "h"), (amount, unit) => {
        expect(parseDuration(`${amount}${unit}`)).toBe(amount * units[unit]);
      }),
    );
  });

  it("parses formatted durations", () => {
    const durations = fc.oneof(
      fc.integer({ min: 0, max: longestTimerMs }),
      fc.integer({ min: 0, max: 500 }).map((n) => n * 60_000),
    );
    fc.assert(
      fc.property(durations, (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(formatDuration(600_000)).toBe("10m");
  });

  it("parses a number of milliseconds, also from a string", () => {
    expect(parseDuration(1500)).toBe(1500);
    expect(parseDuration("1500")).toBe(1500);
  });

  it.each([
    "",
    "s",
    "-1s",
    "1.5s",
    "1 parsec",
    "30S",
    "1s ",
    "10m30s",
    -1,
    1.5,
    Number.NaN,
    true,
    null,
    [],
    "600h",
  ])("rejects the duration %j", (value) => expect(parseDuration(value)).toBeUndefined());

  it("rejects a duration that Node.js timers do not support", () => {
    expect(parseDuration(longestTimerMs)).toBe(longestTimerMs);
    expect(parseDuration(longestTimerMs + 1)).toBeUndefined();
  });
});

describe("sizes", () => {
  it("parses formatted sizes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: largestMessageBytes }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
  });

  it.each([
    ["16MiB", 16_777_216],
    ["16 MiB", 16_777_216],
    ["1KB", 1000],
    ["1GiB", 1_073_741_824],
    ["12B", 12],
    [4096, 4096],
  ])("parses %j as %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["16mib", "16M", "1.5MiB", "2GiB", "-1", {}])("rejects the size %j", (value) =>
    expect(parseSize(value)).toBeUndefined());
});

it("parses a count from a string, since variables are strings", () => {
  expect(parseCount("256")).toBe(256);
  expect(parseCount("256ms")).toBeUndefined();
});

it("parses any number that is not negative and finite to itself, and any other to undefined", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(parseDecimal(value)).toBe(value >= 0 && Number.isFinite(value) ? Math.abs(value) : undefined);
    }),
  );
});

it("parses any value to a whole number or undefined, without throwing", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const parse of [parseDuration, parseSize, parseCount]) {
        const result = parse(value);
        expect(result === undefined || (Number.isInteger(result) && result >= 0)).toBe(true);
      }
    }),
  );
});

describe("shares", () => {
  it("parses a decimal number from 0 to 1, also from a string", () => {
    expect([0, 0.85, 1, 1e-7, "0", "0.5", "1.0"].map(parseShare)).toEqual([0, 0.85, 1, 1e-7, 0, 0.5, 1]);
  });

  it("parses a percentage", () => {
    expect(["0%", "2%", "12.5%", "100%"].map(parseShare)).toEqual([0, 0.02, 0.125, 1]);
  });

  it.each([
    1.01,
    -0.1,
    "101%",
    "-1%",
    "%",
    "1e1%",
    "1%%",
    "",
    ".",
    "1e-3",
    null,
    true,
    Number.NaN,
  ])("rejects %s", (value) => {
    expect(parseShare(value)).toBeUndefined();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limitResetMs, retryAfterMs } from "../../src/upstream/retry-after.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const dayMs = 24 * 60 * 60 * 1000;
type Headers = Record<string, string | string[]>;

describe("the retry delay that a provider requests", () => {
  it.each<[Headers, number | undefined]>([
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": " 2 " }, 2_000],
    [{ "retry-after": ["3", "9"] }, 3_000],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:03 GMT" }, 3_000],
    [{ "retry-after": "Thu, 01 Jan 2025 00:00:03 GMT" }, 0],
    [{ "retry-after": "2026-01-01T00:00:04Z" }, 4_000],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-3" }, undefined],
    [{ "retry-after": "NaN" }, undefined],
    [{ "retry-after": "9".repeat(400) }, 86_400_000],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "999999999" }, dayMs],
    [{ "retry-after-ms": "12.5", "retry-after": "1" }, 13],
    [{ "x-ms-retry-after-ms": "20", "retry-after": "1" }, 20],
    [{ "x-amz-retry-after": "30", "retry-after": "1" }, 30],
    [{ "retry-after-ms": "1500", "retry-after": "2" }, 1_500],
    [{ "retry-after-ms": "0", "retry-after": "60" }, 60_000],
    [{ "retry-after-ms": "60000", "retry-after": "0" }, 60_000],
    [{ "retry-after-ms": "0", "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30_000],
    [{ "retry-after-ms": "0" }, 0],
    [{ "retry-after-ms": "soon", "retry-after": "9" }, 9_000],
    [{}, undefined],
  ])("is read from %j as %s ms", (headers, expected) => {
    expect(retryAfterMs(headers, now)).toBe(expected);
  });
});

describe("the time until an exhausted limit has room", () => {
  it.each<[string, Headers, number | undefined]>([
    ["seconds", { "x-ratelimit-reset": "7", "x-ratelimit-remaining": "0" }, 7_000],
    ["seconds without what remains", { "x-ratelimit-reset": "7" }, 7_000],
    ["seconds since 1970", { "x-ratelimit-reset": String(now / 1000 + 5), "x-ratelimit-remaining": "0" }, 5_000],
    ["milliseconds since 1970", { "x-ratelimit-reset": String(now + 5), "x-ratelimit-remaining": "0" }, 5],
    ["a time in the past", { "x-ratelimit-reset": String(now / 1000 - 5), "x-ratelimit-remaining": "0" }, 0],
    ["a Go duration", { "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0" }, 360_000],
    ["a short one", { "x-ratelimit-reset-requests": "120ms", "x-ratelimit-remaining-requests": "0" }, 120],
    ["a mixed one", { "x-ratelimit-reset-tokens": "1h2m3.5s", "x-ratelimit-remaining-tokens": "0" }, 3_723_500],
    ["Cerebras", { "x-ratelimit-reset-tokens-minute": "11.4", "x-ratelimit-remaining-tokens-minute": "0" }, 11_400],
    ["a day", { "x-ratelimit-reset-requests-day": "33011", "x-ratelimit-remaining-requests-day": "0" }, 33_011_000],
    ["negative rest", { "x-ratelimit-reset-tokens": "2s", "x-ratelimit-remaining-tokens": "-5" }, 2_000],
    [
      "Anthropic",
      { "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:03Z", "anthropic-ratelimit-tokens-remaining": "0" },
      3_000,
    ],
    ["draft 06", { "ratelimit-reset": "4", "ratelimit-remaining": "0" }, 4_000],
    ["draft 07", { ratelimit: "limit=100, remaining=0, reset=5" }, 5_000],
    ["draft 07 with room", { ratelimit: "limit=100, remaining=3, reset=5" }, undefined],
    ["draft 10", { ratelimit: '"default";r=0;t=5' }, 5_000],
    ["draft 10 with room", { ratelimit: '"default";r=50;t=30' }, undefined],
    ["draft 10, several limits", { ratelimit: '"a, b;r=0";r=9;t=50, "hour";r=0;t=8,"day";t=6;r=0' }, 8_000],
    ["a limit with room", { "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "10" }, undefined],
    ["a named limit without what remains", { "x-ratelimit-reset-tokens": "6m0s" }, undefined],
    ["an unknown form", { "x-ratelimit-reset": "soon", "x-ratelimit-remaining": "0" }, undefined],
    ["no limit", { "x-request-id": "1" }, undefined],
  ])("is read: %s", (_, headers, expected) => {
    expect(limitResetMs(headers, 429, now)).toBe(expected);
    expect(limitResetMs(headers, 503, now)).toBe(expected);
    expect(limitResetMs(headers, 500, now)).toBeUndefined();
  });

  const limits = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("", "-requests", "-tokens", "-requests-day", "-tokens-minute", "-images"),
      remaining: fc.constantFrom(0, 0, 1, 1_000),
      seconds: fc.integer({ min: 0, max: 1_000_000 }),
      form: fc.constantFrom<(seconds: number) => string>(
        String,
        (seconds) => `${seconds}s`,
        (seconds) => `${Math.floor(seconds / 60)}m${seconds % 60}s`,
        (seconds) => `${seconds * 1000}ms`,
        (seconds) => String(now / 1000 + seconds),
        (seconds) => String(now + seconds * 1000),
        (seconds) => new Date(now + seconds * 1000).toISOString(),
        (seconds) => new Date(now + seconds * 1000).toUTCString(),
      ),
    }),
    { selector: ({ name }) => name },
  );

  it("is the longest of the exhausted limits, in every spelling, at most a day", () => {
    fc.assert(
      fc.property(limits, (all) => {
        const headers = Object.fromEntries(
          all.flatMap(({ name, remaining, seconds, form }) => [
            [`x-ratelimit-reset${name}`, form(seconds)],
            [`x-ratelimit-remaining${name}`, String(remaining)],
          ]),
        );
        const exhausted = all.filter(({ remaining }) => remaining === 0).map(({ seconds }) => seconds * 1000);
        const expected = exhausted.length === 0 ? undefined : Math.min(Math.max(...exhausted), dayMs);
        expect(limitResetMs(headers, 429, now)).toBe(expected);
      }),
    );
  });
});

describe("headers with any values", () => {
  const names = fc.constantFrom(
    ...["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens", "ratelimit-reset"],
    ...["x-ratelimit-remaining-tokens", "ratelimit", "ratelimit-remaining", "anthropic-ratelimit-tokens-reset"],
  );
  const values = fc.oneof(
    fc.double().map(String),
    fc.bigInt().map(String),
    fc.date().map((date) => (Number.isNaN(date.getTime()) ? "Invalid Date" : date.toISOString())),
    fc.string(),
    fc.constantFrom("0", "-1", "1e400", "Infinity", "NaN", "1h".repeat(2000), "9".repeat(10_000), '"a";r=0;t=1e99'),
  );

  it("give whole milliseconds from 0 to a day, or nothing", () => {
    fc.assert(
      fc.property(fc.dictionary(names, values), (headers) => {
        for (const delay of [retryAfterMs(headers, now), limitResetMs(headers, 429, now)]) {
          if (delay === undefined) continue;
          expect(Number.isInteger(delay) && delay >= 0 && delay <= dayMs).toBe(true);
        }
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { CostSource, UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { exactUsage, providerCost, toolRequests } from "../../../src/providers/kit/usage.ts";

const greatest = 2 ** 31 - 1;

describe("the usage of a provider", () => {
  it("keeps a reported 0, and leaves unset what the provider does not report", () => {
    const usage = exactUsage(3, 2, { cachedInputTokens: 0, reasoningTokens: null, audioInputTokens: undefined });
    expect(usage).toEqual({
      $typeName: "dragoman.v1.Usage",
      inputTokens: 3,
      outputTokens: 2,
      totalTokens: 5,
      cachedInputTokens: 0,
      serverToolRequests: {},
      quality: UsageQuality.EXACT,
    });
    expect(Object.keys(usage)).not.toContain("reasoningTokens");
  });

  it("limits each count to 2^31-1, and is then an estimate", () => {
    expect(exactUsage(greatest, 0)).toMatchObject({ totalTokens: greatest, quality: UsageQuality.EXACT });
    expect(exactUsage(greatest, 1)).toMatchObject({
      inputTokens: greatest,
      outputTokens: 1,
      totalTokens: greatest,
      quality: UsageQuality.ESTIMATED,
    });
    const large = exactUsage(1, 1, { reasoningTokens: 1e15, serverToolRequests: { web_search_requests: 1e15 } });
    expect(large).toMatchObject({
      reasoningTokens: greatest,
      serverToolRequests: { web_search_requests: greatest },
      quality: UsageQuality.ESTIMATED,
    });
  });

  it("reads at most 32 tools, and only those with a plain name and a count", () => {
    expect(toolRequests({ web_search_requests: 2, web_fetch_requests: null, "\ud800": 1 })).toEqual({
      web_search_requests: 2,
    });
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`tool_${index}`, 1]));
    expect(Object.keys(toolRequests(many))).toHaveLength(32);
  });
});

describe("the cost of a provider", () => {
  test.each([
    [0, 0, 0n],
    [0.000012, 0, 12_000n],
    [1.65e-7, 0, 165n],
    [0.1, 0, 100_000_000n],
    // 1.005 * 1e9 is 1004999999.9999999.
    [1.005, 0, 1_005_000_000n],
    [5e-10, 0, 1n],
    [4.9e-10, 0, 0n],
    [1e-300, 0, 0n],
    [37_756_000, 10, 3_775_600n],
    [15, 10, 2n],
    [1_000_000, 0, 10n ** 15n],
  ])("converts %d in units of 10^-%i US dollars to %d nanodollars", (amount, decimals, nanos) => {
    expect(providerCost(amount, decimals)).toMatchObject({ totalNanos: nanos, source: CostSource.PROVIDER });
  });

  test.each([
    undefined,
    null,
    -0.01,
    1_000_000.01,
    1e300,
    Number.POSITIVE_INFINITY,
    Number.NaN,
  ])("ignores %s", (amount) => {
    expect(providerCost(amount)).toBeUndefined();
  });

  it("is exact for every amount in JSON with up to 15 digits, of which 9 are decimals", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), (nanos) => {
        const text = nanos.toString().padStart(10, "0");
        const amount: number = JSON.parse(`${text.slice(0, -9)}.${text.slice(-9)}`);
        expect(providerCost(amount)?.totalNanos).toBe(nanos);
      }),
    );
  });
});

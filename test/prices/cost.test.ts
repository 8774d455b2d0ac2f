import { create } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CostSource, type Usage, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { ModelPrices, PriceTier } from "../../src/prices/model-prices.ts";
import { costOf, picosOf } from "./costs.ts";

/** Tokens of each kind, which do not overlap. Usage has totals and parts instead. */
interface Kinds {
  readonly text: number;
  readonly cached: number;
  readonly written: number;
  readonly written1h: number;
  readonly audio: number;
  readonly image: number;
  readonly answer: number;
  readonly reasoning: number;
  readonly spoken: number;
  readonly drawn: number;
  readonly searches: number;
}

function usageOf(kinds: Kinds): Usage {
  const { text, cached, written, written1h, audio, image, answer, reasoning, spoken, drawn, searches } = kinds;
  return create(UsageSchema, {
    inputTokens: text + cached + written + written1h + audio + image,
    outputTokens: answer + reasoning + spoken + drawn,
    cachedInputTokens: cached,
    cacheWriteInputTokens: written + written1h,
    cacheWrite1hInputTokens: written1h,
    audioInputTokens: audio,
    imageInputTokens: image,
    reasoningTokens: reasoning,
    audioOutputTokens: spoken,
    imageOutputTokens: drawn,
    serverToolRequests: { web_search_requests: searches },
    quality: UsageQuality.EXACT,
  });
}

const count = fc.oneof(fc.nat(10), fc.nat(1_000_000), fc.nat(200_000_000));
const kinds: fc.Arbitrary<Kinds> = fc.record({
  text: count,
  cached: count,
  written: count,
  written1h: count,
  audio: count,
  image: count,
  answer: count,
  reasoning: count,
  spoken: count,
  drawn: count,
  searches: fc.nat(1000),
});

const picos = fc.bigInt({ min: 0n, max: 10n ** 12n });
const maybe = fc.option(picos, { nil: undefined });
const tier: fc.Arbitrary<Omit<PriceTier, "fromInputTokens">> = fc.record({
  input: picos,
  cachedInput: maybe,
  cacheWrite: maybe,
  cacheWrite1h: maybe,
  audioInput: maybe,
  imageInput: maybe,
  output: picos,
  reasoningOutput: maybe,
  audioOutput: maybe,
  imageOutput: maybe,
});
const prices: fc.Arbitrary<ModelPrices> = fc
  .record({
    first: tier,
    others: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), tier), {
      maxLength: 2,
      selector: ([from]) => from,
    }),
    request: picos,
    webSearch: picos,
  })
  .map(({ first, others, request, webSearch }) => ({
    tiers: [
      { fromInputTokens: 0, ...first },
      ...others.sort(([a], [b]) => a - b).map(([fromInputTokens, one]) => ({ fromInputTokens, ...one })),
    ],
    request,
    webSearch,
    source: CostSource.CONFIGURATION,
    version: "v",
  }));

/** Sums fractions of a dollar with a common denominator, and rounds once. */
function referenceNanos(
  { text, cached, written, written1h, audio, image, answer, reasoning, spoken, drawn, searches }: Kinds,
  { tiers, request, webSearch = 0n }: ModelPrices,
): bigint {
  const prompt = text + cached + written + written1h + audio + image;
  const tierOfPrompt = [...tiers].reverse().find(({ fromInputTokens }) => prompt >= fromInputTokens);
  if (tierOfPrompt === undefined) throw new Error("the first tier starts at 0");
  const p = tierOfPrompt;
  // Dollars per million tokens are picodollars per token / 10^6: [tokens, numerator of dollars per million tokens].
  const lines: readonly (readonly [number, bigint])[] = [
    [text, p.input],
    [cached, p.cachedInput ?? p.input],
    [written, p.cacheWrite ?? p.input],
    [written1h, p.cacheWrite1h ?? p.cacheWrite ?? p.input],
    [audio, p.audioInput ?? p.input],
    [image, p.imageInput ?? p.input],
    [answer, p.output],
    [reasoning, p.reasoningOutput ?? p.output],
    [spoken, p.audioOutput ?? p.output],
    [drawn, p.imageOutput ?? p.output],
    [searches, webSearch],
    [1, request],
  ];
  const numerator = lines.reduce((sum, [tokens, price]) => sum + BigInt(tokens) * price, 0n);
  // Numerator / 10^12 dollars, times 10^9, rounded half up: floor(2x + 1 / 2) of x = numerator / 1000.
  return (2n * numerator + 1000n) / 2000n;
}

describe("the cost of a call", () => {
  it("is what exact arithmetic gives, rounded once", () => {
    fc.assert(
      fc.property(kinds, prices, (used, priced) => {
        expect(costOf(usageOf(used), priced)?.totalNanos).toBe(referenceNanos(used, priced));
      }),
      { numRuns: 2000 },
    );
  });

  it("is the sum of its parts, which differ by rounding alone", () => {
    fc.assert(
      fc.property(kinds, prices, (used, priced) => {
        const usage = usageOf(used);
        const cost = costOf(usage, priced);
        if (cost === undefined) throw new Error("all prices are known");
        const { input, cachedInput, cacheWrite, output, other, total } = picosOf(usage, priced);
        expect(total).toBe(input + cachedInput + cacheWrite + output + other);
        const parts =
          cost.inputNanos + cost.cachedInputNanos + cost.cacheWriteNanos + cost.outputNanos + cost.otherNanos;
        const difference = parts - cost.totalNanos;
        expect(difference >= -3n && difference <= 3n).toBe(true);
      }),
    );
  });

  it("does not fall when a call uses more of anything, in one tier", () => {
    const names = Object.keys(usageOrder) as readonly (keyof Kinds)[];
    fc.assert(
      fc.property(kinds, prices, fc.constantFrom(...names), fc.nat(1000), (used, priced, name, more) => {
        const flat = { ...priced, tiers: [priced.tiers[0]] as const };
        const before = costOf(usageOf(used), flat)?.totalNanos ?? 0n;
        const after = costOf(usageOf({ ...used, [name]: used[name] + more }), flat)?.totalNanos ?? 0n;
        expect(after >= before).toBe(true);
      }),
    );
  });

  it("charges each token once, also if a provider's parts exceed its totals", () => {
    const any = fc.option(fc.nat(2 ** 31 - 1), { nil: undefined });
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), fc.array(any, { minLength: 8, maxLength: 8 }), (input, output, parts) => {
        const one: ModelPrices = { ...flatPrices, tiers: [{ ...flatTier, input: 1n, output: 1n }] };
        const [cached, written, written1h, audio, image, reasoning, spoken, drawn] = parts;
        const reported = {
          cachedInputTokens: cached,
          cacheWriteInputTokens: written,
          cacheWrite1hInputTokens: written1h,
          audioInputTokens: audio,
          imageInputTokens: image,
          reasoningTokens: reasoning,
          audioOutputTokens: spoken,
          imageOutputTokens: drawn,
        };
        const set = Object.fromEntries(Object.entries(reported).filter(([, value]) => value !== undefined));
        const quality = UsageQuality.EXACT;
        const usage = create(UsageSchema, { inputTokens: input, outputTokens: output, quality, ...set });
        expect(picosOf(usage, one).total).toBe(BigInt(input + output));
      }),
    );
  });
});

const usageOrder: Readonly<Record<keyof Kinds, true>> = {
  text: true,
  cached: true,
  written: true,
  written1h: true,
  audio: true,
  image: true,
  answer: true,
  reasoning: true,
  spoken: true,
  drawn: true,
  searches: true,
};

const flatTier: PriceTier = {
  fromInputTokens: 0,
  input: 1_000_000n,
  cachedInput: undefined,
  cacheWrite: undefined,
  cacheWrite1h: undefined,
  audioInput: undefined,
  imageInput: undefined,
  output: 5_000_000n,
  reasoningOutput: undefined,
  audioOutput: undefined,
  imageOutput: undefined,
};
const flatPrices: ModelPrices = {
  tiers: [flatTier],
  request: 0n,
  webSearch: undefined,
  source: CostSource.PRICE_TABLE,
  version: "table 1",
};
const small = { inputTokens: 10, outputTokens: 2, quality: UsageQuality.EXACT } as const;

describe("an unknown cost is unset", () => {
  it("without prices, and without counts", () => {
    expect(costOf(create(UsageSchema, small), undefined)).toBeUndefined();
    expect(costOf(create(UsageSchema, { ...small, quality: UsageQuality.UNSPECIFIED }), flatPrices)).toBeUndefined();
  });

  it("if the provider ran a tool whose price is unknown", () => {
    const usage = (tool: string, count: number) =>
      create(UsageSchema, { ...small, serverToolRequests: { [tool]: count } });
    expect(costOf(usage("code_execution_requests", 1), flatPrices)).toBeUndefined();
    expect(costOf(usage("web_search_requests", 1), flatPrices)).toBeUndefined();
    expect(costOf(usage("constructor", 1), flatPrices)).toBeUndefined();
    expect(costOf(usage("code_execution_requests", 0), flatPrices)?.totalNanos).toBe(20_000n);
    expect(costOf(usage("web_fetch_requests", 3), flatPrices)?.otherNanos).toBe(0n);
    expect(costOf(usage("web_search_requests", 2), { ...flatPrices, webSearch: 10n ** 10n })).toMatchObject({
      otherNanos: 20_000_000n,
      totalNanos: 20_020_000n,
    });
  });

  it("in a service tier that the price table does not have, but not with configured prices", () => {
    const usage = create(UsageSchema, small);
    for (const usual of ["", "default", "standard", "Standard"]) {
      expect(costOf(usage, flatPrices, usual)?.totalNanos).toBe(20_000n);
    }
    for (const other of ["flex", "priority", "batch"]) {
      expect(costOf(usage, flatPrices, other)).toBeUndefined();
      expect(costOf(usage, { ...flatPrices, source: CostSource.CONFIGURATION }, other)?.totalNanos).toBe(20_000n);
    }
  });

  it("for a cache write of one hour, if the table knows only the price of the usual time", () => {
    const usage = create(UsageSchema, { ...small, cacheWriteInputTokens: 5, cacheWrite1hInputTokens: 4 });
    const known = { ...flatPrices, tiers: [{ ...flatTier, cacheWrite: 2_000_000n }] as const };
    expect(costOf(usage, known)).toBeUndefined();
    expect(costOf(usage, { ...known, source: CostSource.CONFIGURATION })?.cacheWriteNanos).toBe(10_000n);
  });
});

it("returns the cost that the provider states, whatever the prices are", () => {
  const cost = { totalNanos: 7n, source: CostSource.PROVIDER };
  const usage = create(UsageSchema, { ...small, cost });
  for (const known of [undefined, flatPrices]) {
    expect(costOf(usage, known, "flex")).toMatchObject({ totalNanos: 7n, source: CostSource.PROVIDER });
  }
});

it("names the source and the version of the prices", () => {
  expect(costOf(create(UsageSchema, small), flatPrices)).toMatchObject({
    source: CostSource.PRICE_TABLE,
    priceVersion: "table 1",
    inputNanos: 10_000n,
    outputNanos: 10_000n,
  });
});

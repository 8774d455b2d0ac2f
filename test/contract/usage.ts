import fc from "fast-check";
import { expect, it } from "vitest";
import { type Usage, UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { ask } from "../support/requests.ts";
import { bytesOf, type Dialect, type Form, formsOf, isBytes } from "./dialect.ts";
import { run, startStage } from "./run.ts";

/**
 * Places of a count in the usage of one API: field names with dots between them; `list[field=value].count` in a list.
 */
type Names = readonly string[];

/** How a provider API reports usage. */
export interface UsageCases {
  /** Makes a streamed response with the text `Hi` that reports these usages, in this order. */
  wire(...usages: readonly object[]): string | Uint8Array;
  /**
   * Names of each count; several if models or versions of the API differ. An API without a count has no names for it.
   */
  readonly names: { readonly input: Names; readonly output: Names } & Partial<Record<OtherCount, Names>>;
  /** Whether the input excludes cached tokens and cache writes. */
  readonly excludesCache?: boolean;
  /** Whether the output excludes reasoning. */
  readonly excludesReasoning?: boolean;
  /** Places of counts by tool. */
  readonly tools?: Names;
}

const parts = {
  cached: "cachedInputTokens",
  written: "cacheWriteInputTokens",
  written1h: "cacheWrite1hInputTokens",
  reasoning: "reasoningTokens",
  audioInput: "audioInputTokens",
  imageInput: "imageInputTokens",
  audioOutput: "audioOutputTokens",
  imageOutput: "imageOutputTokens",
} as const satisfies Record<string, keyof Usage>;

type PartCount = keyof typeof parts;
type OtherCount = "total" | PartCount;
type Count = "input" | "output" | OtherCount;

/** What a call used, in Dragoman's sense. */
type Truth = { readonly [Name in "input" | "output" | PartCount]: number };

const small = fc.nat({ max: 500 });

const truths: fc.Arbitrary<Truth> = fc
  .record({
    fresh: fc.integer({ min: 1, max: 500 }),
    cached: small,
    written: small,
    share1h: fc.double({ min: 0, max: 1, noNaN: true }),
    visible: fc.integer({ min: 1, max: 500 }),
    reasoning: small,
    audioInput: small,
    imageInput: small,
    audioOutput: small,
    imageOutput: small,
  })
  .map(({ fresh, cached, written, share1h, visible, ...more }) => ({
    input: fresh + cached + written + more.audioInput + more.imageInput,
    output: visible + more.reasoning + more.audioOutput + more.imageOutput,
    cached,
    written,
    written1h: Math.floor(written * share1h),
    ...more,
  }));

const partNames = Object.keys(parts) as readonly PartCount[];
const withParts = fc.subarray([...partNames]);
/** Selects among the names of a count. */
const name = fc.nat({ max: 5 });
const absent = fc.constantFrom("absent", null, -1, "7", 1.5, {});

/** Returns what the API's counts are for a truth of which it reports only some parts. */
function counted(truth: Truth, told: readonly PartCount[], cases: UsageCases): Partial<Record<Count, number>> {
  const cache = cases.excludesCache ? countOf("cached") + countOf("written") : 0;
  const reasoning = cases.excludesReasoning ? countOf("reasoning") : 0;
  function countOf(part: PartCount): number {
    return told.includes(part) ? truth[part] : 0;
  }
  return {
    input: truth.input - cache,
    output: truth.output - reasoning,
    total: truth.input + truth.output,
    ...Object.fromEntries(told.map((part) => [part, truth[part]])),
  };
}

function write(counts: Readonly<Partial<Record<Count, unknown>>>, cases: UsageCases, choice: number): object {
  const usage = {};
  for (const [count, value] of Object.entries(counts) as [Count, unknown][]) {
    const names = cases.names[count];
    const place = names?.[choice % names.length];
    if (place !== undefined && value !== "absent") put(usage, place.split("."), value);
  }
  return usage;
}

function put(target: object, [step = "", ...rest]: readonly string[], value: unknown): void {
  const [, list, field = "", is] = /^(\w+)\[(\w+)=(\w+)\]$/.exec(step) ?? [];
  if (list !== undefined) {
    const entry = { [field]: is };
    put(entry, rest, value);
    Reflect.set(target, list, [...(Reflect.get(target, list) ?? []), entry]);
  } else if (rest.length === 0) {
    Reflect.set(target, step, value);
  } else {
    const inner = Reflect.get(target, step) ?? {};
    Reflect.set(target, step, inner);
    put(inner, rest, value);
  }
}

async function usageOf(dialect: Dialect, form: Form, ...usages: readonly object[]): Promise<Usage | undefined> {
  const wire = bytesOf(dialect, form, { wire: dialect.usage.wire(...usages) });
  if (!isBytes(wire)) return expect.fail(wire.why);
  await using stage = await startStage(dialect, form, { steps: [{ write: wire }] });
  const { completion, error } = await run(stage, dialect, form, ask(dialect.model.id, "hello"));
  expect(error).toBeUndefined();
  return completion.usage;
}

/** Returns the parts that the API reports, in the names of Usage. */
function partsTold(truth: Truth, told: readonly PartCount[], { names }: UsageCases): Partial<Usage> {
  return Object.fromEntries(told.filter((part) => names[part]).map((part) => [parts[part], truth[part]]));
}

/** Declares the laws of usage for one provider API. */
export function describeUsage(dialect: Dialect): void {
  const { usage: cases } = dialect;
  const able = (told: readonly PartCount[]) =>
    told.filter((part) => cases.names[part] && (part !== "written1h" || told.includes("written")));
  const forms = fc.constantFrom(...formsOf(dialect));
  const settings = { numRuns: 15 };

  it("reports usage totals that include cached tokens and reasoning", async () => {
    await fc.assert(
      fc.asyncProperty(truths, withParts, fc.boolean(), name, forms, async (truth, some, withTotal, choice, form) => {
        const told = able(some);
        const { total, ...counts } = counted(truth, told, cases);
        const usage = await usageOf(dialect, form, write(withTotal ? { total, ...counts } : counts, cases, choice));
        expect(usage).toMatchObject({
          inputTokens: truth.input,
          outputTokens: truth.output,
          totalTokens: truth.input + truth.output,
          quality: UsageQuality.EXACT,
          ...partsTold(truth, told, cases),
        });
        for (const part of partNames) if (!told.includes(part)) expect(usage?.[parts[part]]).toBeUndefined();
      }),
      settings,
    );
  });

  it("never reports exact usage, or a part above its total, if the provider reports neither", async () => {
    const wrong = fc.dictionary(
      fc.constantFrom<Count>("input", "output", "total", ...partNames),
      fc.oneof(absent, small),
    );
    await fc.assert(
      fc.asyncProperty(wrong, name, forms, async (counts, choice, form) => {
        const usage = await usageOf(dialect, form, write(counts, cases, choice));
        if (usage === undefined) return;
        const isTold = (count: Count) => typeof counts[count] === "number" && Number.isInteger(counts[count]);
        const told = [isTold("input"), isTold("output") || isTold("reasoning"), isTold("total")];
        if (told.filter(Boolean).length < 2) expect(usage.quality).not.toBe(UsageQuality.EXACT);
        expect(usage.quality).not.toBe(UsageQuality.UNSPECIFIED);
        expect(usage.inputTokens).toBeGreaterThan(0);
        expect(usage.totalTokens).toBe(usage.inputTokens + usage.outputTokens);
        const { cachedInputTokens = 0, cacheWriteInputTokens = 0, cacheWrite1hInputTokens = 0 } = usage;
        expect(cachedInputTokens).toBeLessThanOrEqual(usage.inputTokens);
        expect(cacheWriteInputTokens).toBeLessThanOrEqual(usage.inputTokens);
        expect(cacheWrite1hInputTokens).toBeLessThanOrEqual(cacheWriteInputTokens);
        expect(usage.reasoningTokens ?? 0).toBeLessThanOrEqual(usage.outputTokens);
      }),
      { numRuns: 30 },
    );
  });

  it("estimates the usage that the provider reports as empty", async () => {
    for (const form of formsOf(dialect)) {
      const usages = [{}, write({ input: null, output: null, total: null }, cases, 0)];
      for (const usage of usages) {
        const quality = (await usageOf(dialect, form, usage))?.quality;
        expect([undefined, UsageQuality.ESTIMATED]).toContain(quality);
      }
      const zeros = await usageOf(dialect, form, write({ input: 0, output: 0, total: 0 }, cases, 0));
      expect(zeros).toMatchObject({ quality: UsageQuality.ESTIMATED, outputTokens: 1 });
    }
  });

  it("takes the last of several usages of a stream", async () => {
    await fc.assert(
      fc.asyncProperty(truths, truths, name, async (first, last, choice) => {
        const told = able([...partNames]);
        const earlier = counted(first, told, cases);
        const usage = await usageOf(
          dialect,
          "streamed",
          write(earlier, cases, choice),
          write(counted(last, told, cases), cases, choice),
        );
        expect(usage).toMatchObject({
          inputTokens: last.input,
          outputTokens: last.output,
          totalTokens: last.input + last.output,
          quality: UsageQuality.EXACT,
        });
      }),
      settings,
    );
  });

  const isReportedOnce = Buffer.from(cases.wire({ a: 1 }, {})).equals(Buffer.from(cases.wire({})));

  it.skipIf(isReportedOnce)("keeps the counts of an earlier event if a later one has zeros for them", async () => {
    await fc.assert(
      fc.asyncProperty(truths, name, async (truth, choice) => {
        const told = able([...partNames]);
        const counts = counted(truth, told, cases);
        const usages = [
          write(counts, cases, choice),
          write({ input: 0, cached: 0, written: 0, written1h: 0, output: counts.output }, cases, choice),
          write({ input: 0, cached: 0, written: 0, output: 0, total: 0 }, cases, choice),
        ];
        expect(await usageOf(dialect, "streamed", ...usages)).toMatchObject({
          inputTokens: truth.input,
          outputTokens: truth.output,
          quality: UsageQuality.EXACT,
          ...(told.includes("cached") && { cachedInputTokens: truth.cached }),
        });
      }),
      settings,
    );
  });

  if (cases.names.total) {
    it("counts the tokens of a total above its counts as output, such as hidden reasoning", async () => {
      await fc.assert(
        fc.asyncProperty(truths, fc.integer({ min: 1, max: 900 }), name, forms, async (truth, hidden, choice, form) => {
          const counts = counted(truth, [], cases);
          const total = truth.input + truth.output + hidden;
          const usage = await usageOf(dialect, form, write({ ...counts, total }, cases, choice));
          expect(usage).toMatchObject({
            inputTokens: truth.input,
            outputTokens: truth.output + hidden,
            totalTokens: total,
            quality: UsageQuality.EXACT,
          });
        }),
        settings,
      );
    });

    it("keeps a total that is reported alone", async () => {
      for (const form of formsOf(dialect)) {
        const usage = await usageOf(dialect, form, write({ total: 402 }, cases, 0));
        expect(usage).toMatchObject({ totalTokens: 402, quality: UsageQuality.ESTIMATED });
        expect(usage?.inputTokens).toBeGreaterThan(0);
      }
    });
  }

  if (cases.tools) {
    it("reports the requests to tools that the provider ran", async () => {
      for (const form of formsOf(dialect)) {
        for (const place of cases.tools ?? []) {
          const usage = write(counted({ ...none, input: 5, output: 3 }, [], cases), cases, 0);
          put(usage, place.split("."), 4);
          const tool = place.split(".").at(-1) ?? "";
          expect((await usageOf(dialect, form, usage))?.serverToolRequests).toEqual({ [tool]: 4 });
        }
      }
    });
  }
}

const none: Truth = {
  input: 0,
  output: 0,
  cached: 0,
  written: 0,
  written1h: 0,
  reasoning: 0,
  audioInput: 0,
  imageInput: 0,
  audioOutput: 0,
  imageOutput: 0,
};

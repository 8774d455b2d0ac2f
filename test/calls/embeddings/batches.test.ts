import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smallestBounds, splitInputs } from "../../../src/calls/embeddings/batches.ts";
import { type EmbeddingInput, EmbeddingInputSchema } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";

function text(value: string): EmbeddingInput {
  return create(EmbeddingInputSchema, { kind: { case: "text", value } });
}

const words = fc.nat({ max: 400 }).map((count) => text("word ".repeat(count)));
const tokens = fc.nat({ max: 400 }).map((count) =>
  create(EmbeddingInputSchema, {
    kind: { case: "tokenIds", value: { ids: Array.from({ length: count + 1 }, () => 7) } },
  }),
);

describe("splitInputs", () => {
  it("keeps all inputs in order, within the bounds, unless an input alone exceeds them", () => {
    const bounds = fc.record({
      maxInputs: fc.integer({ min: 1, max: 9 }),
      maxTokens: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
      maxValues: fc.integer({ min: 1, max: 5000 }),
    });
    const inputs = fc.array(fc.oneof(words, tokens), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(inputs, bounds, fc.nat({ max: 2000 }), (all, { maxTokens, ...rest }, dimensions) => {
        const batches = splitInputs(all, { ...rest, ...(maxTokens !== undefined && { maxTokens }) }, dimensions);
        expect(batches.flatMap((batch) => batch.inputs)).toEqual(all);
        for (const { start, inputs: part } of batches) {
          expect(all[start]).toBe(part[0]);
          expect(part.length).toBeLessThanOrEqual(rest.maxInputs);
          const ids = part.map(({ kind }) => (kind.case === "tokenIds" ? kind.value.ids.length : 0));
          const sum = ids.reduce((total, count) => total + count, 0);
          if (part.length > 1 && maxTokens !== undefined) expect(sum).toBeLessThanOrEqual(maxTokens);
          if (part.length > 1 && dimensions > 0) expect(part.length * dimensions).toBeLessThanOrEqual(rest.maxValues);
        }
      }),
    );
  });

  it("makes no more batches than the number of inputs requires", () => {
    const inputs = Array.from({ length: 2050 }, () => text("a"));
    const bounds = { maxInputs: 2048, maxTokens: 300_000, maxValues: 10_000_000 };
    expect(splitInputs(inputs, bounds, 1024).map(({ start }) => start)).toEqual([0, 2048]);
  });

  it("counts tokens with room for the error of an estimate", () => {
    const inputs = Array.from({ length: 10 }, () => text("word ".repeat(1000)));
    const batches = splitInputs(inputs, { maxInputs: 2048, maxTokens: 4000, maxValues: 10_000_000 }, 1);
    expect(batches.map((batch) => batch.inputs.length)).toEqual([2, 2, 2, 2, 2]);
  });

  it("splits by the smallest bounds of several targets", () => {
    const bounds = smallestBounds([
      { maxInputs: 2048, maxTokens: 300_000, maxValues: 10 },
      { maxInputs: 96, maxValues: 20 },
    ]);
    expect(bounds).toEqual({ maxInputs: 96, maxTokens: 300_000, maxValues: 10 });
  });
});

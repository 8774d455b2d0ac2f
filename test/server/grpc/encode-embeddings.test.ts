import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmbedResponseSchema } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";
import { encodeEmbeddings } from "../../../src/server/grpc/encode-embeddings.ts";

const index = fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 120, max: 300 }));
const values = fc.float32Array({ maxLength: 40, noNaN: true });

describe("encodeEmbeddings", () => {
  it("encodes every index and vector as toBinary does", () => {
    const embeddings = fc.array(fc.record({ index, values }), { maxLength: 5 });
    fc.assert(
      fc.property(embeddings, fc.string(), (list, id) => {
        const response = create(EmbedResponseSchema, {
          embeddings: list.map((one) => ({ index: one.index, values: [...one.values] })),
          ...{ id, model: "m", provider: "p", usage: { inputTokens: 3 }, attempts: [{ target: "p/m" }] },
        });
        expect(encodeEmbeddings(response)).toEqual(Buffer.from(toBinary(EmbedResponseSchema, response)));
      }),
    );
  });

  it("encodes a Float32Array that begins anywhere in its buffer", () => {
    fc.assert(
      fc.property(values, fc.nat({ max: 40 }), (floats, begin) => {
        const part = floats.subarray(Math.min(begin, floats.length));
        const embedding = {
          $typeName: "dragoman.v1.Embedding",
          index: 0,
          values: part as unknown as number[],
        } as const;
        const bytes = encodeEmbeddings({ ...create(EmbedResponseSchema), embeddings: [embedding] });
        expect(fromBinary(EmbedResponseSchema, bytes).embeddings[0]?.values).toEqual([...part]);
      }),
    );
  });
});

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../../src/providers/local/engine.ts";
import { engineFolder, localHome } from "../../../src/providers/local/home.ts";
import { bertToGguf } from "../../../src/providers/local/prepare/bert-to-gguf.ts";
import { missingLocal } from "../../support/local.ts";

const size = 8;
const config = {
  ...{ max_position_embeddings: 16, hidden_size: size, intermediate_size: 16, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, layer_norm_eps: 1e-12, type_vocab_size: 2 },
};
const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s"];

/** Writes a BERT model with these weights, each a sine of its place. */
function writeModel(folder: string): void {
  const layer = "encoder.layer.0";
  const shapes: Record<string, number[]> = {
    "embeddings.word_embeddings.weight": [vocabulary.length, size],
    "embeddings.position_embeddings.weight": [16, size],
    "embeddings.token_type_embeddings.weight": [2, size],
    // Of no use for the vectors, and no part of a GGUF file.
    "pooler.dense.weight": [size, size],
    [`${layer}.intermediate.dense.weight`]: [16, size],
    [`${layer}.intermediate.dense.bias`]: [16],
    [`${layer}.output.dense.weight`]: [size, 16],
    [`${layer}.output.dense.bias`]: [size],
  };
  for (const name of ["query", "key", "value"].map((part) => `self.${part}`).concat("output.dense")) {
    shapes[`${layer}.attention.${name}.weight`] = [size, size];
    shapes[`${layer}.attention.${name}.bias`] = [size];
  }
  for (const name of ["embeddings", `${layer}.attention.output`, `${layer}.output`]) {
    for (const kind of ["weight", "bias"]) shapes[`${name}.LayerNorm.${kind}`] = [size];
  }
  let end = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((product, length) => product * length, 1);
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const json = Buffer.from(JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(header) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const weights = Float32Array.from({ length: end / 4 }, (_, index) => Math.sin(index));
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat([length, json, Buffer.from(weights.buffer)]));
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "vocab.txt"), `${vocabulary.join("\n")}\n`);
}

describe("the conversion of BERT models to GGUF", () => {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-bert-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(missingLocal !== undefined)(
    "writes the same file again, which the engine tokenizes and embeds",
    async () => {
      writeModel(folder);
      const [path, again] = [join(folder, "model.gguf"), join(folder, "again.gguf")];
      await bertToGguf(folder, path);
      await bertToGguf(folder, again);
      const hash = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
      expect(hash(path)).toBe(hash(again));
      const { llama } = await loadEngine(engineFolder(localHome(process.env)), 1);
      try {
        const model = await llama.loadModel({ modelPath: path });
        const context = await model.createEmbeddingContext({ contextSize: 16, batchSize: 16, threads: 1 });
        const words = model.tokenize("Hello worlds", false);
        expect(words).toEqual(["hello", "world", "##s"].map((token) => vocabulary.indexOf(token)));
        // With [CLS] and [SEP].
        expect(context.calculateInputLength(words)).toBe(5);
        const vectors = [words, words, words.toReversed()].map(async (tokens) => await context.getEmbeddingFor(tokens));
        const [first, same, other] = (await Promise.all(vectors)).map(({ vector }) => vector);
        expect(first).toHaveLength(size);
        expect(same).toEqual(first);
        expect(other).not.toEqual(first);
      } finally {
        await llama.dispose();
      }
    },
  );
});

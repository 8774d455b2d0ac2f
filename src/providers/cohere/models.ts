import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf, noTools } from "../../models/model-row.ts";

const commandA = { window: 256_000, output: 8_000 };

// Callers reach other models as `cohere/<name>`.
const rows: readonly ModelRow[] = [
  {
    model: "command-a-plus-05-2026",
    name: "Command A+",
    window: 128_000,
    output: 64_000,
    reasoning: true,
    imageInput: true,
  },
  { model: "command-a-03-2025", name: "Command A", ...commandA },
  {
    model: "command-a-reasoning-08-2025",
    name: "Command A Reasoning",
    ...commandA,
    output: 32_000,
    reasoning: true,
  },
  {
    model: "command-a-vision-07-2025",
    name: "Command A Vision",
    ...commandA,
    window: 128_000,
    imageInput: true,
    ...noTools,
  },
  { model: "command-r7b-12-2024", name: "Command R7B", window: 128_000, output: 4_000 },
];

/** Cohere's chat models, as `cohere/<model>`. */
const chatModels = modelsOf(
  {
    sources: [
      { from: "@ai-sdk/cohere 4.0.52: ids", read: "2026-11-21" },
      { from: "model pages at https://docs.cohere.com/docs: context windows, limits", read: "2026-11-21" },
      {
        from: "https://docs.cohere.com/docs/retrieval-augmented-generation-rag: documents of plain text",
        read: "2026-11-28",
      },
      { from: "models.dev: Command A+", read: "2026-11-21" },
    ],
    provider: "cohere",
    maxTemperature: 1,
    ...chatCapabilities,
    documentInput: true,
    logprobs: true,
  },
  rows,
);

const embeddingModels = modelsOf(
  {
    sources: [
      { from: "PyPI litellm 1.110.2: ids, lengths of inputs and vectors", read: "2026-11-30" },
      { from: "https://docs.cohere.com/docs/cohere-embed: vectors of Embed 3", read: "2026-11-30" },
    ],
    provider: "cohere",
    embeddings: true,
  },
  [
    { model: "embed-v5.0-pro", name: "Embed 5 Pro", window: 128_000, dimensions: 2048 },
    { model: "embed-v5.0-fast", name: "Embed 5 Fast", window: 128_000, dimensions: 2048 },
    { model: "embed-v4.0", name: "Embed 4", window: 128_000, dimensions: 1536 },
    { model: "embed-multilingual-v3.0", name: "Embed 3 Multilingual", window: 512, dimensions: 1024 },
    { model: "embed-english-v3.0", name: "Embed 3 English", window: 512, dimensions: 1024 },
  ],
);

/** Cohere's models for chat and embeddings. */
export const cohereModels: readonly Model[] = [...chatModels, ...embeddingModels];

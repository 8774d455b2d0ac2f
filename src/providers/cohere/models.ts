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
export const cohereModels: readonly Model[] = modelsOf(
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

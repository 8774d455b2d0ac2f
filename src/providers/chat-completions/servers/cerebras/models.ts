import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../../../models/model-row.ts";

const paid = { window: 131_072, output: 40_960, reasoning: true };

// Sources: inference-docs.cerebras.ai/models and models.dev, as of November 2026. Cerebras retires models without much
// notice. Limits are those of paid accounts; others have windows of 65,536 tokens.
const rows: readonly ModelRow[] = [
  { model: "gpt-oss-120b", name: "GPT-OSS 120B", ...paid },
  { model: "qwen-3.8-27b", name: "Qwen3.8 27B", ...paid, imageInput: true },
  // On dedicated endpoints only, since October 2026.
  { model: "gemma-4-31b", name: "Gemma 4 31B", ...paid, output: 0, imageInput: true },
];

// Seed 002, with the window of its time, which prompt and answer share. Both were retired since.
const seedRows: readonly ModelRow[] = [
  { model: "llama3.1-8b", name: "Llama 3.1 8B", window: 8192, output: 8192 },
  { model: "llama3.1-70b", name: "Llama 3.1 70B", window: 8192, output: 8192 },
];

const shared = {
  provider: "cerebras",
  servedBy: "Cerebras",
  // The types of the official client (1.91.0) say 2, the API's document 1.5.
  maxTemperature: 1.5,
  ...chatCapabilities,
  logprobs: true,
} as const;

/** Cerebras' models: as `cerebras/<model>`, and those of seed 002 by their bare ids under Cerebras' own rules. */
export const cerebrasModels: readonly Model[] = [
  ...modelsOf(shared, rows),
  ...modelsOf({ ...shared, profile: "cerebras", idOf: (model) => model }, seedRows),
];

import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../../../models/model-row.ts";

const paid = { window: 131_072, output: 40_960, reasoning: true };

// Cerebras retires models at short notice. Limits are those of paid accounts; other accounts have context windows of
// 65,536 tokens.
const rows: readonly ModelRow[] = [
  { model: "gpt-oss-120b", name: "GPT-OSS 120B", ...paid },
  { model: "qwen-3.8-27b", name: "Qwen3.8 27B", ...paid, imageInput: true },
  // Since October 2026, Cerebras serves this model only on dedicated endpoints.
  { model: "gemma-4-31b", name: "Gemma 4 31B", ...paid, output: 0, imageInput: true },
];

// Models that Cerebras has retired, with their last context windows, which prompt and response share.
const retiredRows: readonly ModelRow[] = [
  { model: "llama3.1-8b", name: "Llama 3.1 8B", window: 8192, output: 8192 },
  { model: "llama3.1-70b", name: "Llama 3.1 70B", window: 8192, output: 8192 },
];

const shared = {
  sources: [
    { from: "inference-docs.cerebras.ai/models", read: "2026-11-21" },
    { from: "models.dev", read: "2026-11-21" },
  ],
  provider: "cerebras",
  servedBy: "Cerebras",
  // Source: the API reference. The types of the official client (1.91.0) state 2 instead.
  maxTemperature: 1.5,
  ...chatCapabilities,
  logprobs: true,
} as const;

/** Cerebras' models, as `cerebras/<model>`. Retired models have ids without the prefix. */
export const cerebrasModels: readonly Model[] = [
  ...modelsOf(shared, rows),
  ...modelsOf({ ...shared, idOf: (model) => model }, retiredRows),
];

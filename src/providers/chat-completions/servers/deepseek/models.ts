import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../../../models/model-row.ts";

const thinks = { reasoning: true };
const sees = { reasoning: true, imageInput: true };

const sources = [
  {
    from: "models.dev, as of @earendil-works/pi-ai 1.5.2, which lists only models that support tools",
    read: "2026-11-10",
  },
] as const;

// Omitted: aliases whose model changes, and variants at other prices. Callers reach any model as `<provider>/<model>`.
const rows: readonly ModelRow[] = [
  { model: "deepseek-flash", name: "DeepSeek V4.1 Flash", window: 1_000_000, output: 384_000, ...sees },
  { model: "deepseek-v4-pro", name: "DeepSeek V4 Pro", window: 1_000_000, output: 384_000, ...thinks },
];

export const deepseekModels: readonly Model[] = modelsOf(
  {
    sources,
    provider: "deepseek",
    servedBy: "DeepSeek",
    maxTemperature: 2,
    ...chatCapabilities,
    jsonSchema: false,
    logprobs: true,
  },
  rows,
);

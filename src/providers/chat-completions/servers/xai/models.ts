import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../../../models/model-row.ts";

const sees = { reasoning: true, imageInput: true };

const sources = [
  {
    from: "models.dev, as of @earendil-works/pi-ai 1.5.2, which lists only models that support tools",
    read: "2026-11-10",
  },
] as const;

// Omitted: aliases whose model changes, and variants at other prices. Callers reach any model as `<provider>/<model>`.
const rows: readonly ModelRow[] = [
  { model: "grok-4.3", name: "Grok 4.3", window: 1_000_000, output: 30_000, ...sees },
  { model: "grok-4.5", name: "Grok 4.5", window: 500_000, output: 500_000, ...sees },
  { model: "grok-4.6", name: "Grok 4.6", window: 500_000, output: 500_000, ...sees },
  { model: "grok-4.7", name: "Grok 4.7", window: 500_000, output: 500_000, ...sees },
];

export const xaiModels: readonly Model[] = modelsOf(
  { sources, provider: "xai", servedBy: "xAI", maxTemperature: 2, logprobs: true, ...chatCapabilities },
  rows,
);

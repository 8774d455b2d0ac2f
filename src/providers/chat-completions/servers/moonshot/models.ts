import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../../../models/model-row.ts";

const sees = { reasoning: true, imageInput: true };

// Moonshot retires K2 at year's end.
const rows: readonly ModelRow[] = [
  { model: "kimi-k3", name: "Kimi K3", window: 1_048_576, output: 1_048_576, ...sees },
  { model: "kimi-k3.1-pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 1_048_576, ...sees },
  { model: "kimi-k3.1-pro-highspeed", name: "Kimi K3.1 Pro Highspeed", window: 1_048_576, output: 1_048_576, ...sees },
];

export const moonshotModels: readonly Model[] = modelsOf(
  {
    sources: [
      { from: "models.dev", read: "2026-11-21" },
      { from: "https://platform.kimi.ai/docs/models", read: "2026-11-21" },
    ],
    provider: "moonshot",
    servedBy: "Moonshot",
    maxTemperature: 1,
    ...chatCapabilities,
  },
  rows,
);

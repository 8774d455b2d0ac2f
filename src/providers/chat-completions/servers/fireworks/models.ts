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
  { model: "deepseek-v4p1-flash", name: "DeepSeek V4.1 Flash", window: 1_000_000, output: 384_000, ...sees },
  { model: "deepseek-v4p1-flash-1017", name: "DeepSeek V4.1 Flash 1017", window: 1_000_000, output: 384_000, ...sees },
  { model: "ember-1", name: "Ember-1", window: 1_048_576, output: 131_072, ...sees },
  { model: "minimax-m3", name: "MiniMax-M3", window: 512_000, output: 512_000, ...thinks },
  { model: "minimax-m3p1-flash", name: "MiniMax-M3.1-Flash", window: 1_000_000, output: 512_000, ...sees },
  { model: "muse-spark-open", name: "Muse Spark Open", window: 1_048_576, output: 131_072, ...sees },
  { model: "qwen3p8-2p4t-a95b", name: "Qwen3.8 2.4T A95B", window: 262_144, output: 131_072, ...thinks },
  { model: "qwen3p8-max", name: "Qwen3.8 Max", window: 262_144, output: 131_072, ...sees },
  { model: "glm-5p3", name: "GLM 5.3", window: 1_048_573, output: 262_144, ...thinks },
  { model: "glm-5p3-flash", name: "GLM 5.3 Flash", window: 1_048_573, output: 131_072, ...sees },
  { model: "kimi-k3", name: "Kimi K3", window: 1_048_576, output: 131_072, ...sees },
  { model: "kimi-k3p1-pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 131_072, ...sees },
];

export const fireworksModels: readonly Model[] = modelsOf(
  { sources, provider: "fireworks", servedBy: "Fireworks", maxTemperature: 2, logprobs: true, ...chatCapabilities },
  rows.map((row) => ({ ...row, model: `accounts/fireworks/models/${row.model}` })),
);

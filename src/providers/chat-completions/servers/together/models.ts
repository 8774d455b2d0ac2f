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
  {
    model: "deepseek-ai/DeepSeek-V4-Pro-0813",
    name: "DeepSeek V4 Pro 0813",
    window: 1_048_576,
    output: 384_000,
    ...thinks,
  },
  {
    model: "deepseek-ai/DeepSeek-V4.1-Flash",
    name: "DeepSeek V4.1 Flash",
    window: 1_048_576,
    output: 384_000,
    ...sees,
  },
  {
    model: "meta-models/Muse-Spark-Open-816B-A42B",
    name: "Muse Spark Open",
    window: 1_048_576,
    output: 131_072,
    ...sees,
  },
  { model: "MiniMaxAI/MiniMax-M3", name: "MiniMax-M3", window: 524_288, output: 524_288, ...sees },
  { model: "moonshotai/Kimi-K3", name: "Kimi K3", window: 1_048_576, output: 131_072, ...sees },
  { model: "moonshotai/Kimi-K3.1-Pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 131_072, ...sees },
  {
    model: "nvidia/NVIDIA-Nemotron-3.5-Super-VL",
    name: "Nemotron 3.5 Super VL 120B A12B",
    window: 262_144,
    output: 262_144,
    ...sees,
  },
  { model: "openai/gpt-oss-120b", name: "GPT OSS 120B", window: 131_072, output: 131_072, ...thinks },
  { model: "Qwen/Qwen3.5-9B", name: "Qwen3.5 9B", window: 262_144, output: 65_536, ...sees },
  { model: "Qwen/Qwen3.6-Plus", name: "Qwen3.6 Plus", window: 1_000_000, output: 65_536, ...thinks },
  { model: "Qwen/Qwen3.7-Max", name: "Qwen3.7 Max", window: 1_000_000, output: 131_072, ...thinks },
  { model: "reflection/Beam-1.0-501B-A23B", name: "Beam 1.0 501B A23B", window: 1_048_576, output: 131_072, ...thinks },
  { model: "thinkingmachines/Inkling", name: "Inkling", window: 524_288, output: 131_072, ...sees },
  { model: "zai-org/GLM-5.2", name: "GLM-5.2", window: 1_048_575, output: 164_000, ...thinks },
  { model: "zai-org/GLM-5.3", name: "GLM-5.3", window: 1_048_575, output: 262_144, ...thinks },
  { model: "zai-org/GLM-5.3-Flash", name: "GLM-5.3-Flash", window: 1_048_575, output: 400_000, ...sees },
];

export const togetherModels: readonly Model[] = modelsOf(
  { sources, provider: "together", servedBy: "Together", logprobs: true, ...chatCapabilities },
  rows,
);

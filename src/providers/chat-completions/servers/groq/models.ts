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
  { model: "llama-3.1-8b-instant", name: "Llama 3.1 8B", window: 131_072, output: 131_072 },
  { model: "llama-3.3-70b-versatile", name: "Llama 3.3 70B", window: 131_072, output: 32_768 },
  { model: "openai/gpt-oss-120b", name: "GPT OSS 120B", window: 131_072, output: 65_536, ...thinks },
  { model: "openai/gpt-oss-20b", name: "GPT OSS 20B", window: 131_072, output: 65_536, ...thinks },
  { model: "openai/gpt-oss-safeguard-20b", name: "Safety GPT OSS 20B", window: 131_072, output: 65_536, ...thinks },
  { model: "qwen/qwen3.6-27b", name: "Qwen3.6 27B", window: 131_072, output: 16_384, ...sees },
  { model: "qwen/qwen3.8-27b", name: "Qwen3.8 27B", window: 131_072, output: 16_384, ...sees },
];

export const groqModels: readonly Model[] = modelsOf(
  { sources, provider: "groq", servedBy: "Groq", maxTemperature: 2, ...chatCapabilities },
  rows,
);

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
// Of about 400 models, only the newest of each vendor are listed. A row has no output limit if the source states nine
// tenths of the context window.
const rows: readonly ModelRow[] = [
  { model: "openai/gpt-6-astra", name: "GPT-6 Astra", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-6.1-sol", name: "GPT-6.1 Sol", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-6.1-terra", name: "GPT-6.1 Terra", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-6-luna", name: "GPT-6 Luna", window: 1_050_000, output: 128_000, ...sees },
  { model: "openai/gpt-4o", name: "GPT-4o", window: 128_000, output: 16_384, imageInput: true },
  { model: "openai/gpt-4o-mini", name: "GPT-4o-mini", window: 128_000, output: 16_384, imageInput: true },
  { model: "openai/gpt-oss-120b", name: "gpt-oss-120b", window: 131_072, output: 65_536, ...thinks },
  { model: "openai/gpt-oss-20b", name: "gpt-oss-20b", window: 131_072, ...thinks },
  { model: "anthropic/claude-fable-5.2", name: "Claude Fable 5.2", window: 1_000_000, output: 128_000, ...sees },
  { model: "anthropic/claude-opus-5.5", name: "Claude Opus 5.5", window: 1_000_000, output: 128_000, ...sees },
  { model: "anthropic/claude-sonnet-5.5", name: "Claude Sonnet 5.5", window: 1_000_000, output: 128_000, ...sees },
  { model: "anthropic/claude-haiku-5.5", name: "Claude Haiku 5.5", window: 1_000_000, output: 128_000, ...sees },
  { model: "google/gemini-4-argon", name: "Gemini 4 Argon", window: 1_048_576, ...sees },
  { model: "google/gemini-3.8-flash", name: "Gemini 3.8 Flash", window: 1_048_576, output: 65_536, ...sees },
  { model: "google/gemma-4-31b-it", name: "Gemma 4 31B", window: 262_144, output: 16_384, ...sees },
  { model: "x-ai/grok-4.7", name: "Grok 4.7", window: 500_000, ...sees },
  { model: "deepseek/deepseek-v4-pro-0813", name: "DeepSeek V4 Pro 0813", window: 1_048_576, ...thinks },
  { model: "deepseek/deepseek-v4.1-flash", name: "DeepSeek V4.1 Flash", window: 1_048_576, ...sees },
  { model: "moonshotai/kimi-k3", name: "Kimi K3", window: 1_048_576, output: 131_072, ...sees },
  { model: "moonshotai/kimi-k3.1-pro", name: "Kimi K3.1 Pro", window: 1_048_576, output: 131_072, ...sees },
  { model: "qwen/qwen3.8-max-0902", name: "Qwen3.8 Max (0902)", window: 1_000_000, output: 131_072, ...sees },
  { model: "qwen/qwen3.8-flash", name: "Qwen3.8 Flash", window: 1_000_000, output: 131_072, ...sees },
  { model: "qwen/qwen3.8-27b", name: "Qwen3.8 27B", window: 262_144, ...sees },
  { model: "z-ai/glm-5.3", name: "GLM 5.3", window: 1_048_576, ...thinks },
  { model: "z-ai/glm-5.3-flash", name: "GLM 5.3 Flash", window: 1_048_575, ...sees },
  { model: "minimax/minimax-m3", name: "MiniMax M3", window: 524_288, output: 512_000, ...sees },
  { model: "mistralai/mistral-large-4-0", name: "Mistral Large 4", window: 1_048_576, output: 262_144, ...sees },
  { model: "mistralai/mistral-medium-3-5", name: "Mistral Medium 3.5", window: 262_144, output: 209_715, ...sees },
  { model: "meta/muse-spark-1.3", name: "Muse Spark 1.3", window: 1_048_576, ...sees },
  { model: "meta-llama/llama-3.3-70b-instruct", name: "Llama 3.3 70B Instruct", window: 128_000 },
  { model: "meta-llama/llama-3.1-8b-instruct", name: "Llama 3.1 8B Instruct", window: 131_072, output: 16_384 },
  { model: "nvidia/nemotron-3-super-120b-a12b", name: "Nemotron 3 Super", window: 262_144, output: 16_384, ...thinks },
];

export const openrouterModels: readonly Model[] = modelsOf(
  { sources, provider: "openrouter", servedBy: "OpenRouter", maxTemperature: 2, logprobs: true, ...chatCapabilities },
  rows,
);

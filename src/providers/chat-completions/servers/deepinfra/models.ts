import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf, noTools } from "../../../../models/model-row.ts";

const tools = { tools: true, parallelToolCalls: true };
const reasoning = { ...tools, reasoning: true };
const million = 1_048_576;

// Callers reach other models, `NAME:VERSION` and `deploy_id:ID` as `deepinfra/<name>`.
const rows: readonly ModelRow[] = [
  { model: "meta-llama/Llama-2-7b-chat-hf", name: "Llama 2 7B Chat", window: 4096, output: 4096 },
  { model: "meta-llama/Llama-2-13b-chat-hf", name: "Llama 2 13B Chat", window: 4096, output: 4096 },
  { model: "meta-llama/Llama-2-70b-chat-hf", name: "Llama 2 70B Chat", window: 4096, output: 4096 },
  { model: "meta-llama/Meta-Llama-3-8B-Instruct", name: "Llama 3 8B Instruct", window: 8192, output: 8192 },
  { model: "meta-llama/Meta-Llama-3-70B-Instruct", name: "Llama 3 70B Instruct", window: 8192, output: 8192 },
  {
    model: "meta-llama/Meta-Llama-3.1-8B-Instruct",
    name: "Llama 3.1 8B Instruct",
    window: 131_072,
    ...tools,
    aliases: ["meta-llama/Llama-3.1-8B-Instruct"],
  },
  {
    model: "meta-llama/Meta-Llama-3.1-70B-Instruct",
    name: "Llama 3.1 70B Instruct",
    window: 131_072,
    ...tools,
    aliases: ["meta-llama/Llama-3.1-70B-Instruct"],
  },
  { model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", name: "Llama 3.3 70B Turbo", window: 131_072, ...tools },
  {
    model: "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    name: "Llama 4 Maverick",
    window: 1_000_000,
    ...tools,
    imageInput: true,
  },
  {
    model: "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    name: "Llama 4 Scout",
    window: 327_680,
    ...tools,
    imageInput: true,
  },
  { model: "mistralai/Mixtral-8x7B-Instruct-v0.1", name: "Mixtral 8x7B Instruct", window: 32_768, ...tools },
  { model: "mistralai/Mixtral-8x22B-Instruct-v0.1", name: "Mixtral 8x22B Instruct", window: 65_536 },
  { model: "mistralai/Mistral-Small-3.2-24B-Instruct-2506", name: "Mistral Small 3.2", window: 131_072, ...tools },
  { model: "openai/gpt-oss-120b", name: "gpt-oss-120b", window: 131_072, ...reasoning },
  { model: "openai/gpt-oss-20b", name: "gpt-oss-20b", window: 131_072, ...reasoning },
  { model: "google/gemma-4-31B-it", name: "Gemma 4 31B", window: 262_144, ...reasoning, imageInput: true },
  { model: "Qwen/Qwen3-235B-A22B-Instruct-2507", name: "Qwen3 235B Instruct", window: 262_144, ...tools },
  { model: "Qwen/Qwen3.8-27B", name: "Qwen3.8 27B", window: 262_144, ...reasoning, imageInput: true },
  { model: "deepseek-ai/DeepSeek-R1-0528", name: "DeepSeek R1 (0528)", window: 163_840, reasoning: true },
  { model: "deepseek-ai/DeepSeek-V4-Pro-0813", name: "DeepSeek V4 Pro (0813)", window: million, ...reasoning },
  {
    model: "deepseek-ai/DeepSeek-V4.1-Flash",
    name: "DeepSeek V4.1 Flash",
    window: million,
    ...reasoning,
    imageInput: true,
  },
  { model: "moonshotai/Kimi-K2.6", name: "Kimi K2.6", window: 262_144, ...reasoning, imageInput: true },
  { model: "moonshotai/Kimi-K3", name: "Kimi K3", window: million, ...reasoning, imageInput: true },
  { model: "zai-org/GLM-5.3", name: "GLM-5.3", window: million, ...reasoning },
  { model: "zai-org/GLM-5.3-Flash", name: "GLM-5.3 Flash", window: million, ...reasoning, imageInput: true },
];

const shared = {
  sources: [
    { from: "types of @ai-sdk/deepinfra 3.0.57: older ids", read: "2026-11-21" },
    { from: "models.dev, which reads DeepInfra's list: newer ids, context windows, capabilities", read: "2026-11-21" },
    { from: "model cards: context windows of Llama 2, Llama 3 70B and Mixtral 8x22B", read: "2026-11-21" },
  ],
  provider: "deepinfra",
  servedBy: "DeepInfra",
  // https://deepinfra.com/docs/advanced/max_tokens_limit
  output: 16_384,
  maxTemperature: 2,
  ...chatCapabilities,
  ...noTools,
  regex: true,
  logprobs: true,
} as const;

const isNamedAsOpenAi = ({ model }: ModelRow) => model.startsWith("openai/");

/**
 * DeepInfra's models. Their ids are DeepInfra's names, except that `openai/…` becomes `deepinfra/openai/…`: an id
 * `openai/…` would mean a model of the provider OpenAI.
 */
export const deepInfraModels: readonly Model[] = [
  ...modelsOf(
    { ...shared, idOf: (model) => model },
    rows.filter((row) => !isNamedAsOpenAi(row)),
  ),
  ...modelsOf(shared, rows.filter(isNamedAsOpenAi)),
];

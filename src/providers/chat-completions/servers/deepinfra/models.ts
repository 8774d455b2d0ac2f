import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../../../gen/dragoman/v1/model_pb.js";

/** What sets DeepInfra's models apart. Windows are in tokens. */
interface Row {
  readonly model: string;
  readonly name: string;
  readonly window: number;
  /** Less than the usual bound, where the window is smaller. */
  readonly output?: number;
  readonly tools?: boolean;
  readonly images?: boolean;
  readonly reasoning?: boolean;
  /** DeepInfra's other names of the same weights. */
  readonly aliases?: readonly string[];
}

const tools = { tools: true };
const reasoning = { tools: true, reasoning: true };
const million = 1_048_576;

// Sources: the types of @ai-sdk/deepinfra 3.0.57 for the older ids, of which seed 004 names Llama 2 70B; models.dev, which
// reads DeepInfra's own list, for the later ids, windows and what they can do. Windows of Llama 2, of Llama 3 70B and of
// Mixtral 8x22B are their model cards'. The catalog is open: others, `NAME:VERSION` and `deploy_id:ID` are
// `deepinfra/<name>`.
const rows: readonly Row[] = [
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
    images: true,
  },
  {
    model: "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    name: "Llama 4 Scout",
    window: 327_680,
    ...tools,
    images: true,
  },
  { model: "mistralai/Mixtral-8x7B-Instruct-v0.1", name: "Mixtral 8x7B Instruct", window: 32_768, ...tools },
  { model: "mistralai/Mixtral-8x22B-Instruct-v0.1", name: "Mixtral 8x22B Instruct", window: 65_536 },
  { model: "mistralai/Mistral-Small-3.2-24B-Instruct-2506", name: "Mistral Small 3.2", window: 131_072, ...tools },
  { model: "openai/gpt-oss-120b", name: "gpt-oss-120b", window: 131_072, ...reasoning },
  { model: "openai/gpt-oss-20b", name: "gpt-oss-20b", window: 131_072, ...reasoning },
  { model: "google/gemma-4-31B-it", name: "Gemma 4 31B", window: 262_144, ...reasoning, images: true },
  { model: "Qwen/Qwen3-235B-A22B-Instruct-2507", name: "Qwen3 235B Instruct", window: 262_144, ...tools },
  { model: "Qwen/Qwen3.8-27B", name: "Qwen3.8 27B", window: 262_144, ...reasoning, images: true },
  { model: "deepseek-ai/DeepSeek-R1-0528", name: "DeepSeek R1 (0528)", window: 163_840, reasoning: true },
  { model: "deepseek-ai/DeepSeek-V4-Pro-0813", name: "DeepSeek V4 Pro (0813)", window: million, ...reasoning },
  {
    model: "deepseek-ai/DeepSeek-V4.1-Flash",
    name: "DeepSeek V4.1 Flash",
    window: million,
    ...reasoning,
    images: true,
  },
  { model: "moonshotai/Kimi-K2.6", name: "Kimi K2.6", window: 262_144, ...reasoning, images: true },
  { model: "moonshotai/Kimi-K3", name: "Kimi K3", window: million, ...reasoning, images: true },
  { model: "zai-org/GLM-5.3", name: "GLM-5.3", window: million, ...reasoning },
  { model: "zai-org/GLM-5.3-Flash", name: "GLM-5.3 Flash", window: million, ...reasoning, images: true },
];

/**
 * DeepInfra's models, by the names that they have there. `openai/…` means the provider OpenAI, so what DeepInfra names so
 * is `deepinfra/openai/…`.
 */
export const deepinfraModels: readonly Model[] = rows.map((row) => {
  const bare = !row.model.startsWith("openai/");
  return create(ModelSchema, {
    id: bare ? row.model : `deepinfra/${row.model}`,
    provider: "deepinfra",
    displayName: `${row.name} (DeepInfra)`,
    aliases: [...(row.aliases ?? [])],
    profile: bare ? "deepinfra" : "plain",
    contextWindowTokens: row.window,
    // https://deepinfra.com/docs/advanced/max_tokens_limit
    maxOutputTokens: row.output ?? 16_384,
    providerModel: row.model,
    maxTemperature: 2,
    capabilities: {
      systemMessages: true,
      tools: row.tools ?? false,
      parallelToolCalls: row.tools ?? false,
      jsonObject: true,
      jsonSchema: true,
      regex: true,
      imageInput: row.images ?? false,
      reasoning: row.reasoning ?? false,
      logprobs: true,
      multipleChoices: true,
    },
  });
});

import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf, noTools } from "../../models/model-row.ts";
import { supportsSchema } from "./model-rules.ts";

const media = { imageInput: true, documentInput: true };
const claude = { ...media, reasoning: true, window: 1_000_000, output: 128_000 };
const claude45 = { ...claude, window: 200_000, output: 64_000 };
const nova = { ...media, output: 10_000 };
const gptOss = { reasoning: true, window: 131_072, output: 128_000 };
const llama = { window: 128_000, output: 4096 };

// Bedrock serves few models by their bare id. Most need an inference profile: an id with the prefix of a group of
// regions. The table has those of the United States; callers can request others (`eu.`, `apac.`, `global.`) and ARNs
// as bedrock/<id>.
const rows: readonly ModelRow[] = [
  { model: "us.anthropic.claude-fable-5-2", name: "Claude Fable 5.2", ...claude },
  { model: "us.anthropic.claude-fable-5-1", name: "Claude Fable 5.1", ...claude },
  { model: "us.anthropic.claude-fable-5", name: "Claude Fable 5", ...claude },
  { model: "us.anthropic.claude-opus-5-5", name: "Claude Opus 5.5", ...claude },
  { model: "us.anthropic.claude-opus-5", name: "Claude Opus 5", ...claude },
  { model: "us.anthropic.claude-opus-4-8", name: "Claude Opus 4.8", ...claude },
  { model: "us.anthropic.claude-opus-4-7", name: "Claude Opus 4.7", ...claude },
  { model: "us.anthropic.claude-opus-4-6-v1", name: "Claude Opus 4.6", ...claude },
  { model: "us.anthropic.claude-opus-4-5-20251101-v1:0", name: "Claude Opus 4.5", ...claude45 },
  { model: "us.anthropic.claude-sonnet-5-5", name: "Claude Sonnet 5.5", ...claude },
  { model: "us.anthropic.claude-sonnet-5", name: "Claude Sonnet 5", ...claude },
  { model: "us.anthropic.claude-sonnet-4-6", name: "Claude Sonnet 4.6", ...claude },
  { model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", name: "Claude Sonnet 4.5", ...claude45 },
  { model: "us.anthropic.claude-haiku-5-5", name: "Claude Haiku 5.5", ...claude },
  { model: "us.anthropic.claude-haiku-4-5-20251001-v1:0", name: "Claude Haiku 4.5", ...claude45 },
  {
    model: "us.amazon.nova-2-lite-v1:0",
    name: "Nova 2 Lite",
    ...nova,
    window: 1_000_000,
    output: 65_535,
    reasoning: true,
  },
  { model: "us.amazon.nova-premier-v1:0", name: "Nova Premier", ...nova, window: 1_000_000 },
  { model: "us.amazon.nova-pro-v1:0", name: "Nova Pro", ...nova, window: 300_000 },
  { model: "us.amazon.nova-lite-v1:0", name: "Nova Lite", ...nova, window: 300_000 },
  {
    model: "us.amazon.nova-micro-v1:0",
    name: "Nova Micro",
    ...nova,
    imageInput: false,
    documentInput: false,
    window: 128_000,
  },
  { model: "openai.gpt-oss-120b-1:0", name: "gpt-oss-120b", ...gptOss },
  { model: "openai.gpt-oss-20b-1:0", name: "gpt-oss-20b", ...gptOss },
  {
    model: "us.meta.llama4-maverick-17b-instruct-v1:0",
    name: "Llama 4 Maverick",
    ...llama,
    window: 1_000_000,
    output: 8192,
    ...media,
  },
  // Context window unknown: sources differ, 3.5 or 10 million tokens.
  {
    model: "us.meta.llama4-scout-17b-instruct-v1:0",
    name: "Llama 4 Scout",
    ...llama,
    window: 0,
    output: 8192,
    ...media,
  },
  { model: "us.meta.llama3-3-70b-instruct-v1:0", name: "Llama 3.3 70B", ...llama },
  { model: "us.deepseek.r1-v1:0", name: "DeepSeek R1", ...noTools, window: 128_000, output: 32_768, reasoning: true },
  {
    model: "us.mistral.pixtral-large-2502-v1:0",
    name: "Pixtral Large",
    ...media,
    window: 128_000,
    output: 8192,
  },
];

/** Models on Amazon Bedrock, as `bedrock/<id>`. Without `jsonSchema`, Dragoman adds the schema to the prompt. */
const chatModels = modelsOf(
  {
    sources: [
      { from: "types of @ai-sdk/amazon-bedrock 5.0.101: ids", read: "2026-11-28" },
      { from: "models.dev: context windows, limits, newer models", read: "2026-11-21" },
    ],
    provider: "bedrock",
    servedBy: "Bedrock",
    maxTemperature: 1,
    ...chatCapabilities,
  },
  rows.map((row) => ({ ...row, jsonSchema: supportsSchema(row.model) })),
);

const embeddingModels = modelsOf(
  {
    sources: [{ from: "PyPI litellm 1.110.2: ids, lengths of inputs and vectors", read: "2026-11-30" }],
    provider: "bedrock",
    servedBy: "Bedrock",
    embeddings: true,
  },
  [
    {
      model: "amazon.nova-2-multimodal-embeddings-v1:0",
      name: "Nova 2 Multimodal Embeddings",
      window: 8172,
      dimensions: 3072,
    },
    { model: "amazon.titan-embed-text-v2:0", name: "Titan Text Embeddings V2", window: 8192, dimensions: 1024 },
    { model: "amazon.titan-embed-text-v1", name: "Titan Text Embeddings", window: 8192, dimensions: 1536 },
    { model: "cohere.embed-v4:0", name: "Cohere Embed 4", window: 128_000, dimensions: 1536 },
    { model: "cohere.embed-multilingual-v3", name: "Cohere Embed 3 Multilingual", window: 512, dimensions: 1024 },
    { model: "cohere.embed-english-v3", name: "Cohere Embed 3 English", window: 512, dimensions: 1024 },
  ],
);

/** Models for chat and embeddings on Amazon Bedrock. */
export const bedrockModels: readonly Model[] = [...chatModels, ...embeddingModels];

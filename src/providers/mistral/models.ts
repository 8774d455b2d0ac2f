import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../models/model-row.ts";

const million = { window: 1_048_576, output: 131_072 };
const quarter = { window: 262_144, output: 262_144 };
const sight = { imageInput: true, documentInput: true };

// Callers reach other models as `mistral/<name>`.
const rows: readonly ModelRow[] = [
  { model: "mistral-large-4", name: "Mistral Large 4", ...million, output: 262_144, ...sight, reasoning: true },
  { model: "mistral-large-latest", name: "Mistral Large", ...quarter, ...sight },
  { model: "mistral-medium-latest", name: "Mistral Medium", ...quarter, ...sight, reasoning: true },
  {
    model: "mistral-small-latest",
    name: "Mistral Small",
    ...quarter,
    output: 256_000,
    ...sight,
    reasoning: true,
  },
  {
    model: "magistral-medium-latest",
    name: "Magistral Medium",
    ...quarter,
    output: 16_384,
    ...sight,
    reasoning: true,
  },
  {
    model: "magistral-small-latest",
    name: "Magistral Small",
    window: 256_000,
    output: 256_000,
    ...sight,
    reasoning: true,
  },
  { model: "ministral-14b-latest", name: "Ministral 14B", ...quarter, ...sight },
  { model: "ministral-8b-latest", name: "Ministral 8B", ...quarter, output: 128_000, ...sight },
  { model: "voxtral-small-latest", name: "Voxtral Small", window: 32_768, output: 32_000, audioInput: true },
  { model: "zai-glm-5-3", name: "GLM-5.3", ...million, reasoning: true },
  { model: "zai-glm-5-3-flash", name: "GLM-5.3 Flash", ...million, ...sight, reasoning: true },
  { model: "zai-glm-5-2", name: "GLM-5.2", ...million, reasoning: true },
];

/** Mistral's chat models, as `mistral/<model>`. */
const chatModels = modelsOf(
  {
    sources: [
      {
        from: "model catalog of @ai-sdk/mistral 4.0.87, which has the list of api.mistral.ai/v1/models",
        read: "2026-10-06",
      },
      { from: "models.dev: newer models, context windows, limits", read: "2026-11-21" },
    ],
    provider: "mistral",
    maxTemperature: 1,
    ...chatCapabilities,
  },
  rows,
);

const embeddingModels = modelsOf(
  {
    sources: [
      { from: "PyPI litellm 1.110.2: ids, lengths of inputs", read: "2026-11-30" },
      { from: "https://docs.mistral.ai/capabilities/embeddings: lengths of vectors", read: "2026-11-30" },
    ],
    provider: "mistral",
    embeddings: true,
  },
  [
    { model: "mistral-embed", name: "Mistral Embed", window: 8192, dimensions: 1024 },
    { model: "codestral-embed", name: "Codestral Embed", window: 8192, dimensions: 1536 },
  ],
);

/** Mistral's models for chat and embeddings. */
export const mistralModels: readonly Model[] = [...chatModels, ...embeddingModels];

import { chatCapabilities, type ModelRow, type ModelTable } from "../../models/model-row.ts";

const million = { window: 1_048_576, output: 65_536 };

// Models for images, audio and robots are not listed, nor are aliases that Google moves to newer models. Callers can
// still request them as `<provider>/<model>`.
export const googleRows: readonly ModelRow[] = [
  { model: "gemini-4-hydrogen", name: "Gemini 4 Hydrogen", ...million },
  { model: "gemini-4-carbon", name: "Gemini 4 Carbon", ...million },
  { model: "gemini-4-argon", name: "Gemini 4 Argon", ...million },
  { model: "gemini-3.8-flash", name: "Gemini 3.8 Flash", ...million },
  { model: "gemini-3.7-flash", name: "Gemini 3.7 Flash", ...million },
  { model: "gemini-3.6-flash", name: "Gemini 3.6 Flash", ...million },
  { model: "gemini-3.5-flash", name: "Gemini 3.5 Flash", ...million },
  { model: "gemini-3.5-flash-lite", name: "Gemini 3.5 Flash-Lite", ...million },
  { model: "gemini-3.1-pro-preview", name: "Gemini 3.1 Pro Preview", ...million },
  { model: "gemini-3.1-flash-lite", name: "Gemini 3.1 Flash-Lite", ...million },
  { model: "gemini-3-flash-preview", name: "Gemini 3 Flash Preview", ...million },
  { model: "gemini-2.5-pro", name: "Gemini 2.5 Pro", ...million },
  { model: "gemini-2.5-flash", name: "Gemini 2.5 Flash", ...million },
  { model: "gemini-2.5-flash-lite", name: "Gemini 2.5 Flash-Lite", ...million },
];

/** Embedding models of both APIs. */
export const googleEmbeddingRows: readonly ModelRow[] = [
  { model: "gemini-embedding-2", name: "Gemini Embedding 2", window: 8192, dimensions: 3072 },
  { model: "gemini-embedding-001", name: "Gemini Embedding 001", window: 2048, dimensions: 3072 },
];

export const googleEmbeddingTable = {
  sources: [
    { from: "types of @ai-sdk/google 4.0.121: ids", read: "2026-11-30" },
    { from: "PyPI litellm 1.110.2: lengths of inputs and vectors", read: "2026-11-30" },
  ],
  embeddings: true,
} as const satisfies Omit<ModelTable, "provider">;

/** Catalog fields that are equal for all of Google's models, on the Gemini API and on Vertex AI. */
export const googleTable = {
  sources: [
    { from: "types of @google/genai 3.1.0 and @ai-sdk/google 4.0.121: ids", read: "2026-11-28" },
    { from: "the Gemini API's list of models: context windows, limits", read: "2026-11-21" },
    { from: "models.dev: Gemini 3.5 to 3.7", read: "2026-11-21" },
    { from: "docs.cloud.google.com/gemini-enterprise-agent-platform/models: Gemini 4", read: "2026-11-21" },
  ],
  maxTemperature: 2,
  ...chatCapabilities,
  imageInput: true,
  audioInput: true,
  documentInput: true,
  reasoning: true,
} as const satisfies Omit<ModelTable, "provider">;

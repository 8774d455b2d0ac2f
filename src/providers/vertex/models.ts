import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type ModelRow, modelsOf } from "../../models/model-row.ts";
import { googleEmbeddingRows, googleEmbeddingTable, googleRows, googleTable } from "../generate-content/models.ts";

const own = { provider: "vertex", servedBy: "Vertex AI" };

/** Embedding models that the Gemini API does not have. */
const embeddingRows: readonly ModelRow[] = [
  { model: "text-embedding-005", name: "Text Embedding 005", window: 2048, dimensions: 768 },
  { model: "text-multilingual-embedding-002", name: "Text Multilingual Embedding 002", window: 2048, dimensions: 768 },
];

/** Google's models on Vertex AI, as `vertex/<model>`. */
export const vertexModels: readonly Model[] = [
  ...modelsOf({ ...googleTable, ...own, logprobs: true }, googleRows),
  ...modelsOf({ ...googleEmbeddingTable, ...own }, [...googleEmbeddingRows, ...embeddingRows]),
];

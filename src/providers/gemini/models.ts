import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelsOf } from "../../models/model-row.ts";
import { googleEmbeddingRows, googleEmbeddingTable, googleRows, googleTable } from "../generate-content/models.ts";

const own = { provider: "gemini", idOf: (model: string) => model };

/** Google's models on the Gemini API, which rejects logprobs for most. Their ids have no `gemini/` prefix. */
export const geminiModels: readonly Model[] = [
  ...modelsOf({ ...googleTable, ...own }, googleRows),
  ...modelsOf({ ...googleEmbeddingTable, ...own }, googleEmbeddingRows),
];

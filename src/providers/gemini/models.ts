import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelsOf } from "../../models/model-row.ts";
import { googleRows, googleTable } from "../generate-content/models.ts";

/** Google's models on the Gemini API, by their bare ids. Most of them reject logprobs there. */
export const geminiModels: readonly Model[] = modelsOf(
  { ...googleTable, provider: "gemini", idOf: (model) => model },
  googleRows,
);

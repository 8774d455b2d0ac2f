import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelsOf } from "../../models/model-row.ts";
import { googleRows, googleTable } from "../generate-content/models.ts";

/** Google's models on Vertex AI, as `vertex/<model>`. */
export const vertexModels: readonly Model[] = modelsOf(
  { ...googleTable, provider: "vertex", servedBy: "Vertex AI", logprobs: true },
  googleRows,
);

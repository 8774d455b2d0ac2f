import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { endpointRows, endpointTable } from "../../models/egp-endpoints.ts";
import { modelsOf } from "../../models/model-row.ts";

/** LLM Engine's endpoints, as `llm-engine/<endpoint>`. With v1, the adapter reports that it supports less than v2. */
export const llmEngineModels: readonly Model[] = modelsOf(
  { ...endpointTable, maxTemperature: 2 },
  endpointRows.map(({ aliases: _, ...row }) => row),
);

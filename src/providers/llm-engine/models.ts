import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { endpointRows, endpointTable } from "../../models/egp-endpoints.ts";
import { modelsOf } from "../../models/model-row.ts";

/** LLM Engine's endpoints without EGP's rules, as `llm-engine/<endpoint>`. The adapter reports the limits of v1. */
export const llmEngineModels: readonly Model[] = modelsOf(
  { ...endpointTable, maxTemperature: 2 },
  endpointRows.map(({ aliases: _, ...row }) => row),
);

import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { endpointRows, endpointTable } from "../../models/egp-endpoints.ts";
import { modelsOf } from "../../models/model-row.ts";

/** The endpoints of LLM Engine without EGP's rules, as `llm-engine/<endpoint>`. What v1 cannot do, the adapter says. */
export const llmEngineModels: readonly Model[] = modelsOf(
  { ...endpointTable, maxTemperature: 2 },
  endpointRows.map(({ aliases: _, ...row }) => row),
);

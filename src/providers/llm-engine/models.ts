import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { endpointModel, endpoints } from "../../models/egp-endpoints.ts";

/** The endpoints of LLM Engine without EGP's rules, as `llm-engine/<endpoint>`. */
export const llmEngineModels: readonly Model[] = endpoints.map((endpoint) =>
  // What v1 cannot do of it, the adapter says.
  endpointModel(endpoint, { id: `llm-engine/${endpoint.id}`, profile: "plain", maxTemperature: 2 }),
);

import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { cerebrasSchemas } from "../../../kit/schema-rules.ts";
import { commonFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { cerebrasAdaptations, wholeJson } from "./adaptations.ts";
import { cerebrasSentences, readCerebrasError } from "./errors.ts";
import { cerebrasModels } from "./models.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

export const provider = hostedServer({
  name: "cerebras",
  title: "Cerebras",
  baseUrl: "https://api.cerebras.ai/v1",
  models: cerebrasModels,
  modelsDevName: "cerebras",
  // Cerebras rejects all other fields.
  fields: {
    ...commonFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.min_output_tokens": "min_completion_tokens",
    "parameters.n": "n",
    "parameters.logit_bias": "logit_bias",
    "reasoning.format": "reasoning_format",
    "reasoning.clear_earlier_reasoning": "clear_thinking",
    parallel_tool_calls: "parallel_tool_calls",
    prediction: "prediction",
    service_tier: "service_tier",
    prompt_cache_key: "prompt_cache_key",
    user: "user",
  },
  efforts: [NONE, LOW, MEDIUM, HIGH],
  // Cerebras rejects `reasoning_content` in messages.
  reasoningReplay: "reasoning",
  stopRule: { max: 4 },
  headerOptions: ["queue_threshold"],
  onlyWhole: wholeJson,
  adaptations: cerebrasAdaptations,
  sentences: cerebrasSentences,
  readError: readCerebrasError,
  schemas: () => cerebrasSchemas,
});

import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { groqSchemas } from "../../../kit/schema-rules.ts";
import { basicFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { groqAdaptations } from "./adaptations.ts";
import { groqReasons } from "./errors.ts";
import { groqModels } from "./models.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

export const provider = hostedServer({
  name: "groq",
  title: "Groq",
  baseUrl: "https://api.groq.com/openai/v1",
  models: groqModels,
  modelsDevName: "groq",
  // Omitted: penalties, `logprobs` and `logit_bias`. Groq's types contain them, but no model supports them, and Groq
  // rejects the last two.
  fields: {
    ...basicFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.stop_sequences": "stop",
    "parameters.seed": "seed",
    "reasoning.effort": "reasoning_effort",
    "reasoning.format": "reasoning_format",
    parallel_tool_calls: "parallel_tool_calls",
    service_tier: "service_tier",
    user: "user",
  },
  efforts: [NONE, LOW, MEDIUM, HIGH],
  reasoningReplay: "reasoning",
  // Such as `browser_search` and `code_interpreter`. https://console.groq.com/docs/tool-use/built-in-tools
  providerTools: true,
  stopRule: { max: 4 },
  extraFields: [
    "metadata",
    "store",
    "search_settings",
    "documents",
    "citation_options",
    "compound_custom",
    "disable_tool_validation",
    "include_domains",
    "exclude_domains",
  ],
  streamOptions: undefined,
  adaptations: groqAdaptations,
  reasons: groqReasons,
  schemas: () => groqSchemas,
});

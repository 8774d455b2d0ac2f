import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { xaiSchemas } from "../../../kit/schema-rules.ts";
import { commonFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { xaiAdaptations } from "./adaptations.ts";
import { xaiSentences } from "./errors.ts";
import { xaiModels } from "./models.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

export const provider = hostedServer({
  name: "xai",
  title: "xAI",
  baseUrl: "https://api.x.ai/v1",
  models: xaiModels,
  modelsDevName: "xai",
  // `logit_bias` is omitted, since xAI ignores it.
  fields: {
    ...commonFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.n": "n",
    parallel_tool_calls: "parallel_tool_calls",
    user: "user",
  },
  efforts: [NONE, LOW, MEDIUM, HIGH],
  // https://docs.x.ai/docs/api-reference#chat-completions
  stopRule: { max: 4 },
  extraFields: ["search_parameters", "deferred"],
  adaptations: xaiAdaptations,
  sentences: xaiSentences,
  schemas: () => xaiSchemas,
});

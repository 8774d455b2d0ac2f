import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { basicFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { deepSeekAdaptations } from "./adaptations.ts";
import { deepseekModels } from "./models.ts";

const { NONE, HIGH, MAX } = ReasoningEffort;

export const provider = hostedServer({
  name: "deepseek",
  title: "DeepSeek",
  baseUrl: "https://api.deepseek.com",
  models: deepseekModels,
  modelsDevName: "deepseek",
  fields: {
    ...basicFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.stop_sequences": "stop",
    "parameters.presence_penalty": "presence_penalty",
    "parameters.frequency_penalty": "frequency_penalty",
    "parameters.logprobs": "logprobs",
    "parameters.top_logprobs": "top_logprobs",
    "reasoning.effort": (effort) =>
      effort === "none"
        ? { thinking: { type: "disabled" } }
        : { thinking: { type: "enabled" }, reasoning_effort: effort },
    user: "user_id",
  },
  // DeepSeek would treat MINIMAL, LOW and MEDIUM as HIGH, so Dragoman rejects them.
  efforts: [NONE, HIGH, MAX],
  // All models require the reasoning of earlier turns that call tools.
  reasoningReplay: "reasoning_content also with calls",
  media: [],
  formats: ["jsonObject"],
  stopRule: { max: 16 },
  adaptations: deepSeekAdaptations,
  // DeepSeek sends these errors with HTTP 400 and the code of any invalid request.
  sentences: [
    { pattern: /^model not exist/i, status: "INVALID_REQUEST", means: "MODEL_NOT_FOUND" },
    { pattern: /^content exists risk/i, status: "INVALID_REQUEST", means: "CONTENT_FILTER" },
  ],
});

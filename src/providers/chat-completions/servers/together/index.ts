import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { commonFields, openModelFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { togetherModels } from "./models.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

export const provider = hostedServer({
  name: "together",
  title: "Together",
  baseUrl: "https://api.together.ai/v1",
  models: togetherModels,
  modelsDevName: "togetherai",
  embeddings: { form: "numbers" },
  fields: {
    ...commonFields,
    ...openModelFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.n": "n",
    "parameters.logit_bias": "logit_bias",
    // Together has one field for both parameters: `logprobs` is the number of top tokens.
    "parameters.logprobs": (enabled) => (enabled === true ? { logprobs: 1 } : {}),
    "parameters.top_logprobs": (count) => (count === 0 ? {} : { logprobs: count }),
    "reasoning.effort": (effort) =>
      effort === "none" ? { reasoning: { enabled: false } } : { reasoning_effort: effort },
    chat_template_kwargs: "chat_template_kwargs",
  },
  efforts: [NONE, LOW, MEDIUM, HIGH],
  extraFields: ["safety_model", "echo", "context_length_exceeded_behavior", "compliance"],
  streamOptions: undefined,
  // Otherwise, Together silently truncates the response to a request that exceeds the context window.
  alsoSend: () => ({ context_length_exceeded_behavior: "error" }),
  // Together returns 403 for a prompt that is too long.
  reasons: { 403: "CONTEXT_LENGTH_EXCEEDED" },
});

import { commonFields } from "../../field-sets.ts";
import { ownServer } from "../../server.ts";

export const provider = ownServer({
  name: "lmstudio",
  title: "LM Studio",
  baseUrl: "http://127.0.0.1:1234/v1",
  embeddings: { form: "numbers" },
  fields: {
    ...commonFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.top_k": "top_k",
    "parameters.logit_bias": "logit_bias",
    "parameters.repetition_penalty": "repeat_penalty",
  },
  toolChoice: "modes",
  media: ["image"],
  topKOff: 0,
  toolNames: undefined,
  extraFields: ["ttl", "draft_model"],
});

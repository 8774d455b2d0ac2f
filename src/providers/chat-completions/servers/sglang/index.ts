import { openServerFields } from "../../field-sets.ts";
import { ownServer } from "../../server.ts";

export const provider = ownServer({
  name: "sglang",
  title: "SGLang",
  baseUrl: "http://127.0.0.1:30000/v1",
  embeddings: { form: "numbers", dimensions: "dimensions", tokens: true },
  fields: {
    ...openServerFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.min_output_tokens": "min_tokens",
    "parameters.n": "n",
    // SGLang does not support the effort `none`, but has a separate field that turns reasoning off.
    "reasoning.effort": (effort) =>
      effort === "none" ? { reasoning: { enabled: false } } : { reasoning_effort: effort },
  },
  regex: (pattern) => ({ regex: pattern }),
  toolNames: undefined,
  media: ["image", "image_url", "video", "video_url"],
  extraFields: [
    "stop_token_ids",
    "stop_regex",
    "ignore_eos",
    "skip_special_tokens",
    "no_stop_trim",
    "ebnf",
    "lora_path",
    "session_params",
    "separate_reasoning",
    "stream_reasoning",
    "return_hidden_states",
    "rid",
    "priority",
    "custom_logit_processor",
    "custom_params",
  ],
});

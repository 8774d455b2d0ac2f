import { openServerFields } from "../../field-sets.ts";
import { sglangExtras } from "../../open-server-extras.ts";
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
  extraFields: sglangExtras,
});

import { openServerFields } from "../../field-sets.ts";
import { vllmExtras } from "../../open-server-extras.ts";
import { ownServer } from "../../server.ts";

export const provider = ownServer({
  name: "vllm",
  title: "vLLM",
  baseUrl: "http://127.0.0.1:8000/v1",
  embeddings: { form: "maybe", dimensions: "dimensions", tokens: true },
  fields: {
    ...openServerFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.min_output_tokens": "min_tokens",
    "parameters.n": "n",
    "reasoning.budget_tokens": "thinking_token_budget",
  },
  // New versions of vLLM use `reasoning`, but still accept this name, which old versions require.
  reasoningReplay: "reasoning_content",
  regex: (pattern) => ({ structured_outputs: { regex: pattern } }),
  // https://docs.vllm.ai/en/latest/features/multimodal_inputs.html
  media: ["image", "image_url", "audio", "video", "video_url"],
  toolNames: undefined,
  extraFields: vllmExtras,
});

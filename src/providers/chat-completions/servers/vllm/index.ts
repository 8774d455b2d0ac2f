import { openServerFields } from "../../field-sets.ts";
import { ownServer } from "../../server.ts";

export const provider = ownServer({
  name: "vllm",
  title: "vLLM",
  baseUrl: "http://127.0.0.1:8000/v1",
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
  extraFields: [
    ...["stop_token_ids", "ignore_eos", "skip_special_tokens", "spaces_between_special_tokens"],
    ...["include_stop_str_in_output", "truncate_prompt_tokens", "prompt_logprobs", "allowed_token_ids"],
    ...["bad_words", "length_penalty", "use_beam_search", "best_of"],
    ...["echo", "add_generation_prompt", "add_special_tokens", "documents"],
    ...["chat_template", "structured_outputs", "guided_grammar", "guided_decoding_backend"],
    ...["guided_whitespace_pattern", "priority", "request_id", "return_token_ids"],
    ...["return_tokens_as_token_ids", "cache_salt", "kv_transfer_params", "vllm_xargs"],
    ...["mm_processor_kwargs", "logits_processors"],
  ],
});

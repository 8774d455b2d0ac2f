import { openServerFields } from "../../field-sets.ts";
import { ownServer } from "../../server.ts";
import { llamaCppReasons, readLlamaCppError } from "./errors.ts";

export const provider = ownServer({
  name: "llamacpp",
  title: "llama.cpp",
  baseUrl: "http://127.0.0.1:8080/v1",
  embeddings: { form: "maybe", tokens: true },
  fields: {
    ...openServerFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.repetition_penalty": "repeat_penalty",
  },
  // Without named tools, which llama.cpp would silently treat as tool choice auto.
  toolChoice: "modes",
  // Without image URLs, which the server would fetch from inside the operator's network.
  media: ["image"],
  topKOff: 0,
  flatSchema: true,
  reasons: llamaCppReasons,
  readError: readLlamaCppError,
  toolNames: undefined,
  extraFields: [
    "ignore_eos",
    "typical_p",
    "top_n_sigma",
    "xtc_probability",
    "xtc_threshold",
    "dynatemp_range",
    "dynatemp_exponent",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "dry_sequence_breakers",
    "repeat_last_n",
    "samplers",
    "grammar",
    "cache_prompt",
    "id_slot",
    "n_keep",
    "n_probs",
    "t_max_predict_ms",
    "post_sampling_probs",
    "timings_per_token",
    "lora",
    "add_generation_prompt",
  ],
});

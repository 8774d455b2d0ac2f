import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { fireworksSchemas } from "../../../kit/schema-rules.ts";
import { basicFields, openModelFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { fireworksModels } from "./models.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

export const provider = hostedServer({
  name: "fireworks",
  title: "Fireworks",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  models: fireworksModels,
  modelsDevName: "fireworks-ai",
  embeddings: { form: "numbers", dimensions: "dimensions" },
  fields: {
    ...basicFields,
    ...openModelFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.stop_sequences": "stop",
    "parameters.n": "n",
    "parameters.presence_penalty": "presence_penalty",
    "parameters.frequency_penalty": "frequency_penalty",
    // Send `logprobs` as a boolean: a number selects an older response format.
    "parameters.logprobs": "logprobs",
    "parameters.top_logprobs": "top_logprobs",
    "parameters.logit_bias": "logit_bias",
    "reasoning.effort": "reasoning_effort",
    "reasoning.budget_tokens": (tokens) => ({ reasoning_effort: tokens === 0 ? "none" : tokens }),
    service_tier: "service_tier",
    prompt_cache_key: "prompt_cache_key",
    user: "user",
  },
  maximums: { "parameters.top_k": 100, "parameters.top_logprobs": 5, "parameters.repetition_penalty": 2 },
  efforts: [NONE, LOW, MEDIUM, HIGH],
  stopRule: { max: 4 },
  extraFields: [
    "ignore_eos",
    "context_length_exceeded_behavior",
    "prompt_truncate_len",
    "typical_p",
    "mirostat_target",
    "mirostat_lr",
    "raw_output",
    "perf_metrics_in_response",
    "speculation",
    "return_token_ids",
    "reasoning_history",
    "metadata",
    "prompt_cache_isolation_key",
  ],
  topKOff: 0,
  streamOptions: undefined,
  // Otherwise, Fireworks silently truncates the response to a request that exceeds the context window.
  alsoSend: () => ({ context_length_exceeded_behavior: "error" }),
  // Fireworks returns 412 if the account is suspended.
  reasons: { 412: "PROVIDER_QUOTA_EXHAUSTED" },
  schemas: () => fireworksSchemas,
});

import { Modality } from "../../../../gen/dragoman/v1/modality_pb.js";
import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { familyMarks } from "../../cache-marks.ts";
import { commonFields, openModelFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { readOpenRouterError } from "./errors.ts";
import { openrouterModels } from "./models.ts";

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

export const provider = hostedServer({
  name: "openrouter",
  title: "OpenRouter",
  baseUrl: "https://openrouter.ai/api/v1",
  models: openrouterModels,
  modelsDevName: "openrouter",
  embeddings: { form: "maybe", dimensions: "dimensions", tokens: true, user: true },
  fields: {
    ...commonFields,
    ...openModelFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.logit_bias": "logit_bias",
    "reasoning.effort": (effort) => ({ reasoning: { effort } }),
    "reasoning.budget_tokens": (tokens) => ({
      reasoning: tokens === 0 ? { enabled: false } : { max_tokens: tokens },
    }),
    parallel_tool_calls: "parallel_tool_calls",
    prediction: "prediction",
    service_tier: "service_tier",
    prompt_cache_key: "prompt_cache_key",
    user: "user",
  },
  efforts: [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX],
  reasoningReplay: "reasoning_details",
  outputs: [Modality.AUDIO, Modality.IMAGE],
  annotations: true,
  // https://openrouter.ai/docs/guides/features/server-tools
  providerTools: true,
  // https://openrouter.ai/docs/guides/overview/multimodal/overview
  media: ["image", "image_url", "audio", "other_audio", "file", "file_url", "video", "video_url"],
  stopRule: { max: 4 },
  // OpenRouter's errors have no code but the HTTP status. https://openrouter.ai/docs/api/reference/errors-and-debugging
  sentences: [
    { pattern: /is not a valid model id/i, status: "INVALID_REQUEST", means: "MODEL_NOT_FOUND" },
    { pattern: /your input was flagged/i, status: "PROVIDER_PERMISSION_DENIED", means: "CONTENT_FILTER" },
  ],
  readError: readOpenRouterError,
  topKOff: 0,
  extraFields: [
    "models",
    "provider",
    "plugins",
    "transforms",
    "route",
    "preset",
    "top_a",
    "verbosity",
    "web_search_options",
    "usage",
    "session_id",
    "trace",
    "metadata",
    "image_config",
    "debug",
    "cache_control",
  ],
  // https://openrouter.ai/docs/features/prompt-caching
  cacheMarks: familyMarks,
  // Without this field, OpenRouter silently drops parameters that the model does not support.
  alsoSend: ({ strictParameters }) => (strictParameters ? { provider: { require_parameters: true } } : {}),
});

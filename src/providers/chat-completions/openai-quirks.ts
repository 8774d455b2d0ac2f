import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import { familyCallIds, openAiCallIds } from "../kit/call-ids.ts";
import { openAiSchemas } from "../kit/schema-rules.ts";
import { openAiEmbeddings } from "./embedding-quirks.ts";
import { commonFields } from "./field-sets.ts";
import { commonQuirks, type Quirks } from "./quirks.ts";

/** Fields that OpenAI supports. Models since o1 reject `max_tokens`, so Dragoman uses only `max_completion_tokens`. */
export const openAiFields = {
  ...commonFields,
  "parameters.max_output_tokens": "max_completion_tokens",
  "parameters.n": "n",
  "parameters.logit_bias": "logit_bias",
  parallel_tool_calls: "parallel_tool_calls",
  prediction: "prediction",
  service_tier: "service_tier",
  prompt_cache_key: "prompt_cache_key",
  user: "safety_identifier",
} as const satisfies Quirks["fields"];

/** Quirks that OpenAI and Azure OpenAI share. */
export const openAiQuirks = {
  ...commonQuirks,
  embeddings: openAiEmbeddings,
  fields: openAiFields,
  openAiModel: (providerModel) => providerModel,
  // Azure also hosts other families of models.
  // OpenAI and Azure check the schemas, for every model.
  schemas: () => openAiSchemas,
  callIds: (providerModel) => familyCallIds(providerModel) ?? openAiCallIds,
  developerRole: true,
  refusals: true,
  reasoningReplay: undefined,
  outputs: [Modality.AUDIO],
  media: ["image", "image_url", "audio", "file", "file_id"],
  stopRule: { max: 4 },
  extraFields: [
    "metadata",
    "moderation",
    "prompt_cache_options",
    "prompt_cache_retention",
    "store",
    "verbosity",
    "web_search_options",
  ],
  // Without `include_obfuscation: false`, OpenAI pads chunks with random text.
  streamOptions: { include_usage: true, include_obfuscation: false },
} as const satisfies Omit<Quirks, "title">;

import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { commonFields, openModelFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { deepInfraAdaptations } from "./adaptations.ts";
import { deepInfraReasons, readDeepInfraError } from "./errors.ts";
import { deepInfraModels } from "./models.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

export const provider = hostedServer({
  name: "deepinfra",
  title: "DeepInfra",
  baseUrl: "https://api.deepinfra.com/v1/openai",
  models: deepInfraModels,
  modelsDevName: "deepinfra",
  // LangChain names the maximum of inputs: https://reference.langchain.com/javascript
  embeddings: { form: "numbers", maxInputs: 1024, dimensions: "dimensions" },
  fields: {
    ...commonFields,
    ...openModelFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.n": "n",
    service_tier: "service_tier",
    prompt_cache_key: "prompt_cache_key",
    chat_template_kwargs: "chat_template_kwargs",
    user: "user",
  },
  maximums: { "parameters.max_output_tokens": 1_000_000, "parameters.top_k": 999 },
  efforts: [NONE, LOW, MEDIUM, HIGH],
  media: ["image", "image_url", "audio"],
  regex: (pattern) => ({ response_format: { type: "regex", regex: pattern } }),
  stopRule: { max: 16 },
  maxChoices: 4,
  topKOff: 0,
  // Breakpoints without a time to live, in the whole message.
  cacheMarks: () => ({ on: "messages", tools: true, ttl: false, most: Number.POSITIVE_INFINITY }),
  adaptations: deepInfraAdaptations,
  reasons: deepInfraReasons,
  readError: readDeepInfraError,
});

import { basicFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { perplexityModels } from "./models.ts";

export const provider = hostedServer({
  name: "perplexity",
  title: "Perplexity",
  // https://docs.perplexity.ai/docs/sonar/openai-compatibility
  baseUrl: "https://api.perplexity.ai",
  models: perplexityModels,
  embeddings: {
    // https://docs.perplexity.ai/api-reference/embeddings-post
    path: "/v1/embeddings",
    form: "int8",
    maxInputs: 512,
    maxTokens: 120_000,
    dimensions: "dimensions",
  },
  fields: {
    ...basicFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.top_k": "top_k",
    "parameters.presence_penalty": "presence_penalty",
    "parameters.frequency_penalty": "frequency_penalty",
    "reasoning.effort": "reasoning_effort",
  },
  reasoningReplay: undefined,
  toolChoice: undefined,
  extraFields: [
    "search_mode",
    "search_domain_filter",
    "search_recency_filter",
    "search_after_date_filter",
    "search_before_date_filter",
    "last_updated_after_filter",
    "last_updated_before_filter",
    "disable_search",
    "enable_search_classifier",
    "return_images",
    "return_related_questions",
    "image_domain_filter",
    "image_format_filter",
    "language_preference",
    "media_response",
    "web_search_options",
  ],
  formats: ["jsonSchema"],
  topKOff: 0,
  // Every chunk contains the usage, even without `stream_options`.
  streamOptions: undefined,
});

import { createUsageReader } from "../kit/usage-reader.ts";

/** Usage of Cohere's Chat API. `billed_units` exclude Cohere's own prompt, so that they are the smaller counts. */
export const cohereUsage = createUsageReader({
  counts: {
    inputTokens: ["tokens.input_tokens", "billed_units.input_tokens"],
    outputTokens: ["tokens.output_tokens", "billed_units.output_tokens"],
    cachedInputTokens: ["cached_tokens"],
    imageInputTokens: ["billed_units.image_tokens"],
  },
  // Other billed units are metadata of their own.
  silent: ["billed_units"],
});

import { createUsageReader } from "../kit/usage-reader.ts";

/**
 * Usage of generateContent. Google counts the thoughts beside the candidates, and the prompts of its own tools beside
 * the prompt. Source: the type UsageMetadata of @google/genai 3.1.0.
 */
export const googleUsage = createUsageReader({
  counts: {
    inputTokens: ["promptTokenCount"],
    toolInputTokens: ["toolUsePromptTokenCount"],
    // Live responses have the second name.
    outputTokens: ["candidatesTokenCount", "responseTokenCount"],
    totalTokens: ["totalTokenCount"],
    cachedInputTokens: ["cachedContentTokenCount"],
    reasoningTokens: ["thoughtsTokenCount"],
    audioInputTokens: ["promptTokensDetails[modality=AUDIO].tokenCount"],
    imageInputTokens: ["promptTokensDetails[modality=IMAGE].tokenCount"],
    audioOutputTokens: ["candidatesTokensDetails[modality=AUDIO].tokenCount"],
    imageOutputTokens: ["candidatesTokensDetails[modality=IMAGE].tokenCount"],
  },
  besideInput: ["toolInputTokens"],
  besideOutput: true,
  // Kinds of tokens that are carried as one count, or added to the input; and the first of the prompts of the input.
  silent: ["cacheTokensDetails", "toolUsePromptTokensDetails", "initialPromptTokenCount"],
});

import { type ContractFieldsOf, contractNames } from "../../chat/planning/provider-options.ts";
import type { GenerateContentBody, GenerationConfig } from "./wire.ts";

const outputFormat = "output_format";

/** Fields of the body that ChatRequest has fields for. Tools that Google runs itself are not `functionDeclarations`. */
export const generateContentNames = contractNames({
  // The path has the model; Google's APIs also define this field.
  model: "model",
  contents: "messages",
  systemInstruction: "messages",
  tools: [{ functionDeclarations: "tools" }],
  toolConfig: { functionCallingConfig: "tool_choice" } satisfies ContractFieldsOf<
    NonNullable<GenerateContentBody["toolConfig"]>
  >,
  generationConfig: {
    temperature: "parameters.temperature",
    topP: "parameters.top_p",
    topK: "parameters.top_k",
    maxOutputTokens: "parameters.max_output_tokens",
    stopSequences: "parameters.stop_sequences",
    candidateCount: "parameters.n",
    seed: "parameters.seed",
    presencePenalty: "parameters.presence_penalty",
    frequencyPenalty: "parameters.frequency_penalty",
    responseLogprobs: "parameters.logprobs",
    logprobs: "parameters.top_logprobs",
    responseMimeType: outputFormat,
    responseJsonSchema: outputFormat,
    // Google's two other names for a response schema.
    responseSchema: outputFormat,
    _responseJsonSchema: outputFormat,
    thinkingConfig: "reasoning",
    responseModalities: "response_modalities",
    speechConfig: "audio_output",
  } satisfies ContractFieldsOf<GenerationConfig>,
  serviceTier: "service_tier",
} satisfies ContractFieldsOf<GenerateContentBody>);

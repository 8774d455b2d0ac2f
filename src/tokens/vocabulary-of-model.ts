import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { VocabularySize } from "./token-estimate.ts";
import type { VocabularyName } from "./vocabularies.ts";

/** Vocabulary by pattern of the model's name at the provider. The first matching row applies. */
const byName: readonly (readonly [RegExp, VocabularyName])[] = [
  // https://github.com/openai/tiktoken/blob/main/tiktoken/model.py; for GPT versions above 5.0, gpt-tokenizer.
  [/(^|[/.:])gpt-oss/, "harmony"],
  [/(^|[/:])(gpt-4o|chatgpt-4o|gpt-4\.[15]|gpt-5|o[134](-|$)|gpt-audio)/, "o200k"],
  [/(^|[/:])(gpt-(4|3\.5|35)(-|$)|text-embedding-(3-|ada-002))/, "cl100k"],
  [/llama-?3(?!\d)/, "llama-3"],
  [/llama-?2(?!\d)/, "llama-2"],
  [/mixtral-8x22b|mistral-7b-instruct-v0\.3/, "mistral-v3"],
  [/mixtral-8x7b|mistral-7b|zephyr-7b/, "mistral"],
];

/**
 * Vocabulary by template family. ChatML and Phi 3 are missing: models with these templates have various vocabularies.
 */
const byTemplate: Readonly<Record<string, VocabularyName>> = {
  "llama-3": "llama-3",
  "llama-2": "llama-2",
  mixtral: "mistral",
  zephyr: "mistral",
  harmony: "harmony",
};

const sizes = {
  o200k: "large",
  harmony: "large",
  cl100k: "medium",
  "llama-3": "medium",
  "llama-2": "small",
  mistral: "small",
  "mistral-v3": "small",
} as const satisfies Record<VocabularyName, VocabularySize>;

/** Begin token that servers put before a prompt. */
const begins: Readonly<Partial<Record<VocabularyName, string>>> = {
  "llama-3": "<|begin_of_text|>",
  "llama-2": "<s>",
  mistral: "<s>",
  "mistral-v3": "<s>",
};

/**
 * Returns the vocabulary of a model. Undefined if it is unknown or not available to Dragoman (Claude, Gemini, Command).
 */
export function vocabularyOf({ providerModel, templateFamily }: Model): VocabularyName | undefined {
  const name = providerModel.toLowerCase();
  return byName.find(([pattern]) => pattern.test(name))?.[1] ?? byTemplate[templateFamily];
}

/** Returns the vocabulary size of a model, or `unknown`. */
export function vocabularySizeOf(model: Model | undefined): VocabularySize {
  const vocabulary = model && vocabularyOf(model);
  return vocabulary === undefined ? "unknown" : sizes[vocabulary];
}

/** Returns the text of the token that servers put before a prompt. Undefined if they put none. */
export function beginOf(vocabulary: VocabularyName): string | undefined {
  return begins[vocabulary];
}

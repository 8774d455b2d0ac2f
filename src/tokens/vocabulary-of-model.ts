import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { VocabularySize } from "./token-estimate.ts";
import type { VocabularyName } from "./vocabularies.ts";

/** Which vocabulary a model has, by its name at the provider. The first that fits decides. */
const byName: readonly (readonly [RegExp, VocabularyName])[] = [
  // https://github.com/openai/tiktoken/blob/main/tiktoken/model.py; versions above 5.0 as gpt-tokenizer has them.
  [/(^|[/.:])gpt-oss/, "harmony"],
  [/(^|[/:])(gpt-4o|chatgpt-4o|gpt-4\.[15]|gpt-5|o[134](-|$)|gpt-audio)/, "o200k"],
  [/(^|[/:])gpt-(4|3\.5|35)(-|$)/, "cl100k"],
  [/llama-?3(?!\d)/, "llama-3"],
  [/llama-?2(?!\d)/, "llama-2"],
  [/mixtral-8x22b|mistral-7b-instruct-v0\.3/, "mistral-v3"],
  [/mixtral-8x7b|mistral-7b|zephyr-7b/, "mistral"],
];

/** Which vocabulary the models of a template family have; ChatML and Phi 3 go with several. */
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

const begins: Readonly<Partial<Record<VocabularyName, string>>> = {
  "llama-3": "<|begin_of_text|>",
  "llama-2": "<s>",
  mistral: "<s>",
  "mistral-v3": "<s>",
};

/** The vocabulary of a model; undefined where none is known, or none is to be had here (Claude, Gemini, Command). */
export function vocabularyOf({ providerModel, templateFamily }: Model): VocabularyName | undefined {
  const name = providerModel.toLowerCase();
  return byName.find(([pattern]) => pattern.test(name))?.[1] ?? byTemplate[templateFamily];
}

/** How large the vocabulary of a model is, as far as it is known. */
export function vocabularySizeOf(model: Model | undefined): VocabularySize {
  const vocabulary = model && vocabularyOf(model);
  return vocabulary === undefined ? "unknown" : sizes[vocabulary];
}

/** The token that servers put before a prompt, as it is written in one. Undefined when they put none. */
export function beginOf(vocabulary: VocabularyName): string | undefined {
  return begins[vocabulary];
}

import { type ByteLevelVocabulary, byteLevelTokenizer } from "./byte-level.ts";
import { sentencePieceTokenizer } from "./sentence-piece.ts";
import { readTokens } from "./token-file.ts";
import type { Tokenizer } from "./tokenizer.ts";

// Runs in the counting thread (counting-thread.ts). Each vocabulary is loaded once and stays in memory. Loading takes
// 40 to 150 ms of CPU time, and a vocabulary 17 MB (cl100k) to 35 MB (o200k) of memory
// (scripts/measure-token-estimate.ts --cost).

/** Patterns of words: https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py */
const contraction = "'(?:[sS]|[dD]|[mM]|[tT]|[lL][lL]|[vV][eE]|[rR][eE])";
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const o200kWords = String.raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+(?:${contraction})?|[^\r\n\p{L}\p{N}]?${upper}+${lower}*(?:${contraction})?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const cl100kWords = String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]|\s+(?!\S)|\s`;
/** https://huggingface.co/meta-llama/Meta-Llama-3-8B-Instruct, tokenizer.json */
const llama3Words = String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

let sharedO200k: ByteLevelVocabulary | undefined;

/** GPT-4o and gpt-oss share this vocabulary, but only servers of gpt-oss parse control tokens. */
async function fromO200k(controls?: RegExp): Promise<Tokenizer> {
  sharedO200k ??= { ranks: readTokens("o200k"), words: withUnicodeSpaces(o200kWords) };
  return byteLevelTokenizer({ ...sharedO200k, ...(controls && { controls }) });
}

async function cl100k(): Promise<Tokenizer> {
  return byteLevelTokenizer({ ranks: readTokens("cl100k"), words: withUnicodeSpaces(cl100kWords) });
}

async function llama3(): Promise<Tokenizer> {
  // Includes im_start and im_end, which ChatML fine-tunes add to Meta's control tokens.
  const controls =
    /<\|(?:begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|python_tag|finetune_right_pad_id|im_start|im_end|reserved_special_token_\d{1,3})\|>/g;
  return byteLevelTokenizer({ ranks: readTokens("llama-3"), words: withUnicodeSpaces(llama3Words), controls });
}

async function llama2(controls: RegExp): Promise<Tokenizer> {
  const { default: library } = await import("llama-tokenizer-js");
  return sentencePieceTokenizer(library, controls);
}

async function mistral(controls: RegExp): Promise<Tokenizer> {
  const { default: library } = await import("mistral-tokenizer-js");
  return sentencePieceTokenizer(library, controls);
}

/**
 * Functions that load each vocabulary. OpenAI's API reads control tokens in texts as plain text, so its vocabularies
 * have none. Servers that accept raw prompts parse control tokens.
 */
const loaders = {
  o200k: () => fromO200k(),
  cl100k,
  /** gpt-oss. https://github.com/openai/harmony */
  harmony: () => fromO200k(/<\|(?:startoftext|endoftext|return|constrain|channel|start|end|message|call)\|>/g),
  "llama-3": llama3,
  "llama-2": () => llama2(/<s>|<\/s>|<unk>/g),
  /** Mistral 7B v0.1, its fine-tune Zephyr, and Mixtral 8x7B. For these models, [INST] is plain text. */
  mistral: () => mistral(/<s>|<\/s>|<unk>/g),
  /** Mixtral 8x22B and Mistral 7B v0.3: the text tokens of `mistral`, with more control tokens. */
  "mistral-v3": () => mistral(/<s>|<\/s>|<unk>|\[\/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]/g),
} as const satisfies Record<string, () => Promise<Tokenizer>>;

export type VocabularyName = keyof typeof loaders;

const loaded = new Map<VocabularyName, Promise<Tokenizer>>();

/** Returns the tokenizer of a vocabulary. Loads it on first use. */
export function loadTokenizer(name: VocabularyName): Promise<Tokenizer> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const loading = loaders[name]();
  loaded.set(name, loading);
  return loading;
}

/**
 * Compiles a pattern in which `\s` means Unicode White_Space, as in the patterns' original syntax. JavaScript's `\s`
 * differs for U+FEFF and U+0085.
 */
function withUnicodeSpaces(pattern: string): RegExp {
  return new RegExp(pattern.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"), "gu");
}

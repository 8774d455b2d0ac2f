import { type ByteLevelVocabulary, byteLevelTokenizer, toBytes } from "./byte-level.ts";
import { sentencePieceTokenizer } from "./sentence-piece.ts";
import type { Tokenizer } from "./tokenizer.ts";

// Runs in the counting thread (counting-thread.ts). Each vocabulary is loaded once and stays in memory. Loading blocks
// the thread for 70 to 700 ms. A vocabulary takes 10 MB (cl100k) to 75 MB (Llama 3) of memory
// (scripts/measure-token-estimate.ts --cost).

async function o200k(): Promise<ByteLevelVocabulary> {
  const [{ default: tokens }, { O200K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import("gpt-tokenizer/bpeRanks/o200k_base"),
    import("gpt-tokenizer/encodingParams/constants"),
  ]);
  return { ranks: openAiRanks(tokens), words: withUnicodeSpaces(O200K_TOKEN_SPLIT_REGEX.source) };
}

let sharedO200k: Promise<ByteLevelVocabulary> | undefined;

/** GPT-4o and gpt-oss share this vocabulary, but only servers of gpt-oss parse control tokens. */
async function fromO200k(controls?: RegExp): Promise<Tokenizer> {
  sharedO200k ??= o200k();
  return byteLevelTokenizer({ ...(await sharedO200k), ...(controls && { controls }) });
}

async function cl100k(): Promise<Tokenizer> {
  const [{ default: tokens }, { CL100K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import("gpt-tokenizer/bpeRanks/cl100k_base"),
    import("gpt-tokenizer/encodingParams/constants"),
  ]);
  return byteLevelTokenizer({
    ranks: openAiRanks(tokens),
    words: withUnicodeSpaces(CL100K_TOKEN_SPLIT_REGEX.source),
  });
}

/** https://huggingface.co/meta-llama/Meta-Llama-3-8B-Instruct, tokenizer.json */
const llama3Words = String.raw`'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

async function llama3(): Promise<Tokenizer> {
  const { default: library } = await import("llama3-tokenizer-js");
  const codes = byteCodes();
  const ranks = new Map<string, number>();
  library.vocabById.forEach((token, rank) => {
    if (/^<\|.*\|>$/.test(token)) return;
    const bytes = token.replace(/[^\0-\x7f]/g, (sign) => codes.get(sign) ?? sign);
    ranks.set(bytes, rank);
  });
  // Includes im_start and im_end, which ChatML fine-tunes add to Meta's control tokens.
  const controls =
    /<\|(?:begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|python_tag|finetune_right_pad_id|im_start|im_end|reserved_special_token_\d{1,3})\|>/g;
  return byteLevelTokenizer({ ranks, words: withUnicodeSpaces(llama3Words), controls });
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

/** Converts a list of tokens in rank order to a map. A token that is not valid UTF-8 is a list of bytes. */
function openAiRanks(tokens: readonly (string | readonly number[])[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  tokens.forEach((token, rank) => {
    ranks.set(typeof token === "string" ? toBytes(token) : String.fromCharCode(...token), rank);
  });
  return ranks;
}

/**
 * Compiles a pattern in which `\s` means Unicode White_Space, as in the patterns' original syntax. JavaScript's `\s`
 * differs for U+FEFF and U+0085.
 */
function withUnicodeSpaces(pattern: string): RegExp {
  return new RegExp(pattern.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"), "gu");
}

/**
 * Maps each character of GPT-2's byte-level alphabet, which Llama 3 also uses, to the character whose code is the byte
 * that it stands for. The alphabet uses other visible characters for bytes that are not visible in Latin-1.
 */
function byteCodes(): ReadonlyMap<string, string> {
  const codes = new Map<string, string>();
  for (let byte = 0, made = 0; byte < 256; byte++) {
    const visible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    codes.set(String.fromCharCode(visible ? byte : 256 + made++), String.fromCharCode(byte));
  }
  return codes;
}

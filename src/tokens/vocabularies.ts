import { type ByteLevelVocabulary, byteLevelTokenizer, toBytes } from "./byte-level.ts";
import { sentencePieceTokenizer } from "./sentence-piece.ts";
import type { Tokenizer } from "./tokenizer.ts";

// For the thread that counts (counting-thread.ts). What is loaded stays: a vocabulary takes 70 to 700 ms to load, once,
// without a pause in it, and 10 MB (cl100k) to 75 MB (Llama 3) of memory (scripts/measure-token-estimate.ts --cost).

async function o200k(): Promise<ByteLevelVocabulary> {
  const [{ default: tokens }, { O200K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import("gpt-tokenizer/bpeRanks/o200k_base"),
    import("gpt-tokenizer/encodingParams/constants"),
  ]);
  return { ranks: openAiRanks(tokens), words: withUnicodeSpaces(O200K_TOKEN_SPLIT_REGEX.source) };
}

let sharedO200k: Promise<ByteLevelVocabulary> | undefined;

/** GPT-4o and gpt-oss have one vocabulary; the latter's servers read control tokens. */
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
  // The two that ChatML fine-tunes add stand beside Meta's own.
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

/** How each vocabulary is loaded. OpenAI's API reads no control tokens in texts; servers of raw prompts do. */
const loaders = {
  o200k: () => fromO200k(),
  cl100k,
  /** gpt-oss. https://github.com/openai/harmony */
  harmony: () => fromO200k(/<\|(?:startoftext|endoftext|return|constrain|channel|start|end|message|call)\|>/g),
  "llama-3": llama3,
  "llama-2": () => llama2(/<s>|<\/s>|<unk>/g),
  /** Mistral 7B 0.1, Mixtral 8x7B, and Zephyr, which was made from the former. Their [INST] is text. */
  mistral: () => mistral(/<s>|<\/s>|<unk>/g),
  /** Mixtral 8x22B and Mistral 7B 0.3: the same tokens for text, and control tokens besides. */
  "mistral-v3": () => mistral(/<s>|<\/s>|<unk>|\[\/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]/g),
} as const satisfies Record<string, () => Promise<Tokenizer>>;

export type VocabularyName = keyof typeof loaders;

const loaded = new Map<VocabularyName, Promise<Tokenizer>>();

/** The tokenizer of a vocabulary, loaded when it is first asked for. */
export function loadTokenizer(name: VocabularyName): Promise<Tokenizer> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const loading = loaders[name]();
  loaded.set(name, loading);
  return loading;
}

/** Tokens by rank, as texts or, where they are no UTF-8, as bytes. */
function openAiRanks(tokens: readonly (string | readonly number[])[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  tokens.forEach((token, rank) => {
    ranks.set(typeof token === "string" ? toBytes(token) : String.fromCharCode(...token), rank);
  });
  return ranks;
}

/** In the patterns' own dialect `\s` is Unicode's White_Space, which JavaScript's is not: U+FEFF and U+0085 differ. */
function withUnicodeSpaces(pattern: string): RegExp {
  return new RegExp(pattern.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"), "gu");
}

/**
 * The signs that GPT-2's byte-level vocabularies, and so Llama 3's, write for bytes which are no visible Latin-1
 * character, each with the character of its byte's code.
 */
function byteCodes(): ReadonlyMap<string, string> {
  const codes = new Map<string, string>();
  for (let byte = 0, made = 0; byte < 256; byte++) {
    const visible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    codes.set(String.fromCharCode(visible ? byte : 256 + made++), String.fromCharCode(byte));
  }
  return codes;
}

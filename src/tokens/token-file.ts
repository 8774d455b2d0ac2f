import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

/** Files with the tokens of the large vocabularies. `npm run generate:vocabularies` writes them. */
export type TokenFile = "o200k" | "cl100k" | "llama-3";

export function tokenFileUrl(file: TokenFile): URL {
  return new URL(`./${file}.tokens`, import.meta.url);
}

/**
 * Reads the tokens of a vocabulary, each with its rank. A token is a string with one character per byte. In the file,
 * compressed with Brotli, a byte with the length of each token comes before its bytes.
 */
export function readTokens(file: TokenFile): ReadonlyMap<string, number> {
  const content = brotliDecompressSync(readFileSync(tokenFileUrl(file))).toString("latin1");
  const ranks = new Map<string, number>();
  for (let begin = 0; begin < content.length; ) {
    const end = begin + 1 + content.charCodeAt(begin);
    ranks.set(content.slice(begin + 1, end), ranks.size);
    begin = end;
  }
  return ranks;
}

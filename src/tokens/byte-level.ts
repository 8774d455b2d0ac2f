import { wordCounter } from "./pair-merging.ts";
import { cutter, type Tokenizer } from "./tokenizer.ts";

/** Tokens and patterns of one byte-level vocabulary. */
export interface ByteLevelVocabulary {
  /** Rank of each token. A token is a string with one character per byte, whose code is the byte. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Matches the words of a text; pairs merge only within a word. Must have the flag `g`. */
  readonly words: RegExp;
  /** Matches the control tokens that the model's server parses in a text. Must have the flag `g`. Absent: none. */
  readonly controls?: RegExp;
}

const letter = /\p{L}/u;
// A word of letters ends before any character except letters, combining marks, digits, apostrophes and surrogates.
const endsWord = /[^\p{L}\p{M}\p{N}\p{Cs}']/u;

/** Creates a tokenizer that merges bytes within words, as those of OpenAI (tiktoken) and Llama 3 do. */
export function byteLevelTokenizer({ ranks, words, controls }: ByteLevelVocabulary): Tokenizer {
  const countParts = wordCounter((word, begin, _middle, end) => ranks.get(word.slice(begin, end)));
  // A word that is in the vocabulary is one token, even if merging its bytes does not produce it.
  const countWord = (word: string) => (ranks.has(word) ? 1 : countParts(word));
  return {
    // A cut between a letter and a character that matches `endsWord` is safe: every `words` pattern ends a word there,
    // and none has a lookbehind.
    pieces: cutter(controls, (before, after) => endsWord.test(after) && letter.test(before)),
    count({ text, control }) {
      if (control) return 1;
      let tokens = 0;
      for (const [word] of text.matchAll(words)) tokens += countWord(toBytes(word));
      return tokens;
    },
  };
}

/** Converts a text to its UTF-8 bytes, as a string with one character per byte. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

import { wordCounter } from "./pair-merging.ts";
import { cutter, type Tokenizer } from "./tokenizer.ts";

/** What sets one byte-level vocabulary apart. */
export interface ByteLevelVocabulary {
  /** The tokens, each byte as the character of its code, with their ranks. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Finds the words of a text, within which pairs are merged. Global. */
  readonly words: RegExp;
  /** Finds the control tokens that the model's server reads in a text. Global. Absent: it reads none. */
  readonly controls?: RegExp;
}

const letter = /\p{L}/u;
// Marks, apostrophes and halves of surrogate pairs may go on with a word.
const endsWord = /[^\p{L}\p{M}\p{N}\p{Cs}']/u;

/** A tokenizer that merges bytes within words: tiktoken's, and Llama 3's. */
export function byteLevelTokenizer({ ranks, words, controls }: ByteLevelVocabulary): Tokenizer {
  const countParts = wordCounter((word, begin, _middle, end) => ranks.get(word.slice(begin, end)));
  // A word that is a token is one, whichever merges lead there.
  const countWord = (word: string) => (ranks.has(word) ? 1 : countParts(word));
  return {
    // Every word pattern ends a word of letters before a character like these, and none looks back.
    pieces: cutter(controls, (before, after) => endsWord.test(after) && letter.test(before)),
    count({ text, control }) {
      if (control) return 1;
      let tokens = 0;
      for (const [word] of text.matchAll(words)) tokens += countWord(toBytes(word));
      return tokens;
    },
  };
}

/** The UTF-8 bytes of a text, each as the character of that code. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

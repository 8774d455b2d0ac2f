import { wordCounter } from "./pair-merging.ts";
import { cutter, type Tokenizer } from "./tokenizer.ts";

const space = "▁";

/** Common interface of the npm packages llama-tokenizer-js and mistral-tokenizer-js. */
interface SentencePieceVocabulary {
  /** Tokens by id, with `▁` for a space. */
  readonly vocabById: readonly string[];
  /** Rank at which two tokens merge. The key is the two tokens with a space between them. */
  readonly merges: ReadonlyMap<string, number>;
}

/** Id of the first merged token. `<unk>`, `<s>`, `</s>` and a token for each byte come before it. */
const firstMerged = 259;

/**
 * Creates a SentencePiece tokenizer, whose tokens can span words, for Llama 2 and Mistral 7B. A cut between two
 * characters is safe if they are neighbors in no token of the vocabulary.
 *
 * Like vLLM's tokenizers, it puts a space before a text and after each control token (`Prepend` in the models'
 * tokenizer.json). A character without a token counts one token per byte.
 */
export function sentencePieceTokenizer(library: SentencePieceVocabulary, controls: RegExp): Tokenizer {
  const tokens = new Set(library.vocabById.slice(firstMerged));
  const neighbors = new Set<string>();
  for (const token of tokens) {
    for (let index = 1; index < token.length; index++) neighbors.add(token.slice(index - 1, index + 1));
  }
  const countWord = wordCounter((word, begin, middle, end) =>
    library.merges.get(`${word.slice(begin, middle)} ${word.slice(middle, end)}`),
  );
  const normal = (character: string) => (character === " " ? space : character);
  const mayCut = (before: string, after: string) =>
    !isLowSurrogate(after) && !neighbors.has(normal(before) + normal(after));

  /** Counts the text between two allowed cuts. A character without a token is always alone between two cuts. */
  const countPart = (part: string) =>
    isSingle(part) ? (tokens.has(part) ? 1 : Buffer.byteLength(part)) : countWord(part);

  return {
    pieces: cutter(controls, mayCut),
    count({ text: piece, control, first }) {
      if (control) return 1;
      const text = (first ? space : "") + piece.replaceAll(" ", space);
      let count = 0;
      for (let begin = 0, end = 1; end <= text.length; end++) {
        if (end < text.length && !mayCut(text.charAt(end - 1), text.charAt(end))) continue;
        count += countPart(text.slice(begin, end));
        begin = end;
      }
      return count;
    },
  };
}

function isLowSurrogate(character: string): boolean {
  return character >= "\uDC00" && character <= "\uDFFF";
}

function isSingle(text: string): boolean {
  return text.length === 1 || (text.length === 2 && isLowSurrogate(text.charAt(1)));
}

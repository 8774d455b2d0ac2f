import { wordCounter } from "./pair-merging.ts";
import { cutter, type Tokenizer } from "./tokenizer.ts";

const space = "▁";

/** What the libraries for Llama 2 and Mistral 7B have in common. */
interface SentencePieceVocabulary {
  /** Spaces are written as `▁`. */
  readonly vocabById: readonly string[];
  /** The rank at which two tokens merge, by both with a space between. */
  readonly merges: ReadonlyMap<string, number>;
}

/** `<unk>`, `<s>`, `</s>` and a token for each byte come before those that are merged. */
const firstMerged = 259;

/**
 * A tokenizer of the SentencePiece kind, whose tokens reach across words: Llama 2's and Mistral 7B's. Two characters
 * that are neighbours in no token of the vocabulary can never get into one, so that a text is cut between them and its
 * pieces counted one by one. A space is put before a text and after each control token, as vLLM's tokenizers do
 * (`Prepend` in the models' tokenizer.json). Characters without a token are a token for each byte.
 */
export function sentencePieceTokenizer(library: SentencePieceVocabulary, controls: RegExp): Tokenizer {
  const tokens = new Set(library.vocabById.slice(firstMerged));
  const neighbours = new Set<string>();
  for (const token of tokens) {
    for (let index = 1; index < token.length; index++) neighbours.add(token.slice(index - 1, index + 1));
  }
  const countWord = wordCounter((word, begin, middle, end) =>
    library.merges.get(`${word.slice(begin, middle)} ${word.slice(middle, end)}`),
  );
  const normal = (character: string) => (character === " " ? space : character);
  const mayCut = (before: string, after: string) =>
    !isLowSurrogate(after) && !neighbours.has(normal(before) + normal(after));

  /** Characters without a token have no neighbours, and come here alone. */
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

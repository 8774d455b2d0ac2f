/** Counts the tokens of texts for one vocabulary. */
export interface Tokenizer {
  /**
   * Counts the tokens of a piece that `pieces` returned, of at most `maxPiece` characters. Synchronous and of bounded
   * duration, so that the caller can let other jobs run between pieces.
   */
  count(piece: Piece): number;
  /**
   * Cuts a text where no token can span the cut. So the counts of the pieces add up to the count of the text. If there
   * is no such cut within `maxPiece` characters, it cuts after `maxPiece` and sets `torn` of the piece.
   */
  pieces(text: string): Iterable<Piece>;
}

/** Part of a text that is counted separately. */
interface Piece {
  readonly text: string;
  /** Whether the piece is one control token, such as `<|eot_id|>`, that the model's server parses. */
  readonly control: boolean;
  /** Whether the piece is at the beginning of a text or follows a control token. */
  readonly first: boolean;
  /** Whether the cut at the end of the piece may split a token. */
  readonly torn: boolean;
}

/** Maximum length of a piece in characters. Longer than any unbroken text that people or programs usually write. */
export const maxPiece = 4096;

/**
 * Creates a `pieces` function. It cuts before and after each control token, and elsewhere at the last place within
 * `maxPiece` characters that `mayCut` allows.
 */
export function cutter(
  controls: RegExp | undefined,
  mayCut: (before: string, after: string) => boolean,
): Tokenizer["pieces"] {
  return function* (text) {
    for (const { stretch, control } of stretches(text, controls)) {
      if (control) {
        yield { text: stretch, control, first: false, torn: false };
        continue;
      }
      for (let begin = 0; begin < stretch.length; ) {
        const { end, torn } = endOf(stretch, begin, mayCut);
        yield { text: stretch.slice(begin, end), control, first: begin === 0, torn };
        begin = end;
      }
    }
  };
}

function* stretches(text: string, controls: RegExp | undefined): Iterable<{ stretch: string; control: boolean }> {
  let begin = 0;
  if (controls !== undefined) {
    for (const { 0: found, index } of text.matchAll(controls)) {
      if (index > begin) yield { stretch: text.slice(begin, index), control: false };
      yield { stretch: found, control: true };
      begin = index + found.length;
    }
  }
  if (begin < text.length) yield { stretch: text.slice(begin), control: false };
}

function endOf(text: string, begin: number, mayCut: (before: string, after: string) => boolean) {
  const limit = begin + maxPiece;
  if (limit >= text.length) return { end: text.length, torn: false };
  for (let end = limit; end > begin; end--) {
    if (mayCut(text.charAt(end - 1), text.charAt(end))) return { end, torn: false };
  }
  // Do not cut between the halves of a surrogate pair.
  return { end: /[\uD800-\uDBFF]/.test(text.charAt(limit - 1)) ? limit - 1 : limit, torn: true };
}

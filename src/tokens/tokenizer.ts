/** Counts the tokens of texts as one family of models reads them. */
export interface Tokenizer {
  /**
   * Counts a piece of at most `maxPiece` characters, one of those that `pieces` cuts a text into. Synchronous and
   * bounded, so that the caller decides when others may run.
   */
  count(piece: Piece): number;
  /**
   * Cuts a text where no token can lie across the cut, so that the counts of the pieces add up to the text's. A run
   * without such a place is cut all the same after `maxPiece` characters, and its pieces say so.
   */
  pieces(text: string): Iterable<Piece>;
}

/** A part of a text that is counted on its own. */
interface Piece {
  readonly text: string;
  /** Whether it is one control token, such as `<|eot_id|>`, which the model's server reads as such. */
  readonly control: boolean;
  /** Whether it begins a text, or follows a control token. */
  readonly first: boolean;
  /** Whether it was cut where a token may lie across. */
  readonly torn: boolean;
}

/** Characters that are counted in one go. Long enough for any text that people or programs write without a break. */
export const maxPiece = 4096;

/** Cuts texts at control tokens and then where `mayCut` allows, the last such place within reach. */
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
  // Never between the halves of a surrogate pair.
  return { end: /[\uD800-\uDBFF]/.test(text.charAt(limit - 1)) ? limit - 1 : limit, torn: true };
}

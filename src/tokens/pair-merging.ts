/**
 * The rank at which two neighbours merge, undefined when they do not: the parts of `word` from `begin` to `middle` and
 * from there to `end`. Lower ranks merge first.
 */
type RankOf = (word: string, begin: number, middle: number, end: number) => number | undefined;

/** Into how many tokens a word falls. */
type WordCounter = (word: string) => number;

const stride = 2 ** 24;

/**
 * Byte pair encoding, as tiktoken and SentencePiece do it: of all neighbours that may merge, those of the lowest rank
 * are merged first, the leftmost among equals. Takes n log n for a word of n characters; the libraries
 * that the vocabularies come from take n² (gpt-tokenizer) or are slower throughout.
 */
export function wordCounter(rankOf: RankOf): WordCounter {
  // The parts of the word as a linked list, each named by the place where it begins, and kept from word to word.
  let next = new Int32Array(256);
  let previous = new Int32Array(256);
  // The rank at which each part merges with the next; -1 when it does not, or is gone.
  let mergeRanks = new Int32Array(256);
  const heap = new NumberHeap();
  let text = "";

  function consider(begin: number): void {
    const second = next[begin] ?? text.length;
    const rank = second < text.length ? rankOf(text, begin, second, next[second] ?? text.length) : undefined;
    mergeRanks[begin] = rank ?? -1;
    if (rank !== undefined) heap.push(rank * stride + begin);
  }

  return (word) => {
    const { length } = word;
    if (length < 2) return length;
    if (length > next.length) {
      next = new Int32Array(2 * length);
      previous = new Int32Array(2 * length);
      mergeRanks = new Int32Array(2 * length);
    }
    text = word;
    for (let begin = 0; begin < length; begin++) {
      next[begin] = begin + 1;
      previous[begin] = begin - 1;
    }
    for (let begin = 0; begin < length; begin++) consider(begin);

    let parts = length;
    for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
      const begin = key % stride;
      if (mergeRanks[begin] !== (key - begin) / stride) continue;
      const second = next[begin] ?? length;
      const third = next[second] ?? length;
      next[begin] = third;
      if (third < length) previous[third] = begin;
      mergeRanks[second] = -1;
      parts--;
      consider(begin);
      const before = previous[begin] ?? -1;
      if (before >= 0) consider(before);
    }
    // A slice would keep the whole prompt that it is of.
    text = "";
    return parts;
  };
}

/** A binary heap, the smallest first. */
class NumberHeap {
  readonly #keys: number[] = [];

  push(key: number): void {
    const keys = this.#keys;
    let place = keys.length;
    keys.push(key);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = keys[parent] ?? 0;
      if (above <= key) break;
      keys[place] = above;
      place = parent;
    }
    keys[place] = key;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const top = keys[0];
    const last = keys.pop();
    if (last === undefined || keys.length === 0) return top;
    let place = 0;
    for (let child = 1; child < keys.length; child = 2 * place + 1) {
      const right = keys[child + 1];
      if (right !== undefined && right < (keys[child] ?? 0)) child++;
      const below = keys[child] ?? 0;
      if (below >= last) break;
      keys[place] = below;
      place = child;
    }
    keys[place] = last;
    return top;
  }
}

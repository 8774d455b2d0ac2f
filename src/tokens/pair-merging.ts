/**
 * Returns the rank at which two neighbors merge, or undefined if they do not merge. The neighbors are the parts of
 * `word` from `begin` to `middle` and from `middle` to `end`. Lower ranks merge first.
 */
type RankOf = (word: string, begin: number, middle: number, end: number) => number | undefined;

/** Returns the number of tokens of a word. */
type WordCounter = (word: string) => number;

/** Heap keys are `rank * stride + begin`: ordered by rank, then from left to right. Exceeds the length of any word. */
const stride = 2 ** 24;

/**
 * Creates a counter that uses byte pair encoding, as tiktoken and SentencePiece do. It merges the neighbors of the
 * lowest rank first, and among equal ranks the leftmost. Takes O(n log n) for a word of n characters. The npm packages
 * of the vocabularies have slower counters: O(n²) in gpt-tokenizer, slower for every word in the others.
 */
export function wordCounter(rankOf: RankOf): WordCounter {
  // The parts of the word as a linked list. A part's id is the index where it begins. The arrays are reused.
  let next = new Int32Array(256);
  let previous = new Int32Array(256);
  // Rank at which each part merges with the next one; -1 if it does not merge or no longer exists.
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
    // Releases the word: if it is a slice of the prompt, it keeps the whole prompt in memory.
    text = "";
    return parts;
  };
}

/** Binary heap that returns the smallest number first. */
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

/** What stands in place of a quotation. */
const hidden = "[prompt]";

/** Length of the parts of a text that are looked up. */
const blockLength = 8;

/** Minimum length of a quotation: a run of this length has a whole block of the text that it quotes. */
const shortestRun = 2 * blockLength - 1;

/** Maximum characters that are compared. */
const longestTexts = 256 * 1024;

/** Maximum comparisons of two characters, which take about 10 ms. */
const mostComparisons = 2_000_000;

/** What stands in place of a text that is too much work to compare. */
const notCompared = "[not shown: the prompt is too large to compare]";

/** Members of a message that are names, and not text of the prompt. */
const names: ReadonlySet<string> = new Set([
  ...["$typeName", "case", "role", "id", "name", "mediaType", "toolCallId", "provider"],
]);

/**
 * Returns what a provider wrote, without quotations of the prompt, because the log must not have them: each run of at
 * least 15 characters that `quotable` has too, and each text of 8 to 14 characters of `quotable`.
 *
 * @param quotable values whose texts, at any depth, must not be shown, such as the messages of a request
 */
export function hideQuotes(words: string, quotable: unknown): string {
  const texts: string[] = [];
  let length = 0;
  for (const text of textsIn(quotable)) {
    length += text.length;
    if (length > longestTexts) return notCompared;
    texts.push(text);
  }
  if (texts.length === 0) return words;
  const isQuoted = new Uint8Array(words.length);
  const blocks = blocksOf(words);
  let comparisons = 0;
  for (const text of texts) {
    if (text.length < shortestRun) markWhole(words, text, isQuoted);
    else comparisons += markRuns(words, text, blocks, isQuoted, mostComparisons - comparisons);
    if (comparisons >= mostComparisons) return notCompared;
  }
  return replaced(words, isQuoted);
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  for (const [name, member] of Object.entries(value)) {
    if (!names.has(name)) yield* textsIn(member);
  }
}

/** Returns the positions of each block in a text. */
function blocksOf(words: string): ReadonlyMap<string, readonly number[]> {
  const blocks = new Map<string, number[]>();
  for (let at = 0; at + blockLength <= words.length; at++) {
    const block = words.slice(at, at + blockLength);
    const known = blocks.get(block);
    if (known === undefined) blocks.set(block, [at]);
    else known.push(at);
  }
  return blocks;
}

/** Marks a short text where it is as a whole. */
function markWhole(words: string, text: string, isQuoted: Uint8Array): void {
  if (text.length < blockLength) return;
  for (let at = words.indexOf(text); at >= 0; at = words.indexOf(text, at + 1)) isQuoted.fill(1, at, at + text.length);
}

/** Marks the runs that are in a text too. Returns the number of comparisons, and stops after `most`. */
function markRuns(
  words: string,
  text: string,
  blocks: ReadonlyMap<string, readonly number[]>,
  isQuoted: Uint8Array,
  most: number,
): number {
  let comparisons = 0;
  for (let at = 0; at + blockLength <= text.length && comparisons < most; at += blockLength) {
    for (const place of blocks.get(text.slice(at, at + blockLength)) ?? []) {
      const offset = at - place;
      let [start, end] = [place, place + blockLength];
      while (start > 0 && start + offset > 0 && words[start - 1] === text[start + offset - 1]) start--;
      while (end < words.length && end + offset < text.length && words[end] === text[end + offset]) end++;
      comparisons += end - start;
      if (end - start >= shortestRun) isQuoted.fill(1, start, end);
    }
  }
  return comparisons;
}

function replaced(words: string, isQuoted: Uint8Array): string {
  let shown = "";
  for (let at = 0, end = 0; at < words.length; at = end) {
    while (end < words.length && isQuoted[end] === isQuoted[at]) end++;
    shown += isQuoted[at] === 1 ? hidden : words.slice(at, end);
  }
  return shown;
}

import { setImmediate } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import type { CountAnswer, CountJob, CountOrder, Counts, TextCount } from "./counting-thread.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { loadTokenizer } from "./vocabularies.ts";

// The thread that counting-thread.ts starts.

/** How long one count goes on while others wait for their turn, in milliseconds. A piece may take as long again. */
const sliceMs = 8;

/** The jobs that somebody waits for. */
const wanted = new Set<number>();

parentPort?.on("message", ({ id, job }: CountOrder) => {
  if (job === undefined) wanted.delete(id);
  else void answer(id, job);
});

// What it throws ends the thread, and counting-thread.ts hears of it.
async function answer(id: number, job: CountJob): Promise<void> {
  wanted.add(id);
  const counts = await countInTurns(await loadTokenizer(job.vocabulary), job, () => wanted.has(id));
  wanted.delete(id);
  parentPort?.postMessage({ id, counts } satisfies CountAnswer);
}

/** Counts in slices, so that a short text does not wait for a long one. Undefined when it takes too long. */
async function countInTurns(tokenizer: Tokenizer, { texts, longestMs }: CountJob, isWanted: () => boolean) {
  // Without the turns of others, so that neither they nor a vocabulary that is loaded for them spoil a count.
  let spentMs = 0;
  let sliceBegan = performance.now();
  const counts: TextCount[][] = [];
  for (const ofOne of texts) {
    const row: TextCount[] = [];
    for (const text of ofOne) {
      let [tokens, torn] = [0, 0];
      for (const piece of tokenizer.pieces(text)) {
        tokens += tokenizer.count(piece);
        if (piece.torn) torn++;
        const ofSlice = performance.now() - sliceBegan;
        if (ofSlice < sliceMs) continue;
        await setImmediate();
        spentMs += ofSlice;
        if (!isWanted() || spentMs > longestMs) return undefined;
        sliceBegan = performance.now();
      }
      row.push({ tokens, torn });
    }
    counts.push(row);
  }
  return counts satisfies Counts;
}

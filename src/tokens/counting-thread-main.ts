import { setImmediate } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import type { CountAnswer, CountJob, CountOrder, Counts, TextCount } from "./counting-thread.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { loadTokenizer } from "./vocabularies.ts";

// Main module of the thread that counting-thread.ts starts.

/**
 * Time in ms after which a job lets other jobs run. It first finishes the piece that it counts, which can take about as
 * long again.
 */
const sliceMs = 8;

/** Ids of the jobs in progress, without the cancelled ones. */
const wanted = new Set<number>();

parentPort?.on("message", ({ id, job }: CountOrder) => {
  if (job === undefined) wanted.delete(id);
  else void answer(id, job);
});

// An error in this function ends the thread, because nothing awaits it; counting-thread.ts handles the event `error`.
async function answer(id: number, job: CountJob): Promise<void> {
  wanted.add(id);
  const counts = await countInTurns(await loadTokenizer(job.vocabulary), job, () => wanted.has(id));
  wanted.delete(id);
  parentPort?.postMessage({ id, counts } satisfies CountAnswer);
}

/**
 * Counts in time slices, so that a short text does not wait for a long one. Returns undefined if the job takes more
 * than `longestMs` or is cancelled.
 */
async function countInTurns(tokenizer: Tokenizer, { texts, longestMs }: CountJob, isWanted: () => boolean) {
  // Working time of this job only. While other jobs run or load their vocabularies, it does not increase.
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

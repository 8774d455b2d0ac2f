import { setImmediate } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import type { CountAnswer, CountJob, CountOrder, CountQueue, Counts, TextCount } from "./counting-thread.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { loadTokenizer } from "./vocabularies.ts";

// Main module of the thread that counting-thread.ts starts.

/**
 * Time in ms after which a job lets other jobs run. It first finishes the piece that it counts, which can take about as
 * long again.
 */
const sliceMs = 8;

/** A job whose vocabulary is loaded. */
interface Turn {
  readonly id: number;
  readonly queue: CountQueue;
  /** Counts for one time slice with each step. Returns undefined if the job takes more than `maxWorkMs`. */
  readonly slices: Generator<void, Counts>;
  /** Time at which the job is given up. */
  readonly endsMs: number;
}

/** Ids of the jobs in progress, without the cancelled ones. */
const wanted = new Set<number>();

/** Jobs of each queue run in order of arrival. Of the long ones, CountingThread sends one at a time. */
const queues: Readonly<Record<CountQueue, Turn[]>> = { short: [], long: [] };
let isRunning = false;

parentPort?.on("message", ({ id, job }: CountOrder) => {
  if (job === undefined) wanted.delete(id);
  else void begin(id, job);
});

// An error in this function ends the thread, because nothing awaits it; counting-thread.ts handles the event `error`.
async function begin(id: number, job: CountJob): Promise<void> {
  wanted.add(id);
  const slices = countInSlices(await loadTokenizer(job.vocabulary), job);
  const { queue, maxTimeMs } = job;
  queues[queue].push({ id, queue, slices, endsMs: performance.now() + maxTimeMs });
  if (!isRunning) await run();
}

async function run(): Promise<void> {
  isRunning = true;
  for (let turn = next(); turn !== undefined; turn = next()) {
    const counts = step(turn);
    if (counts !== "unfinished") {
      queues[turn.queue].shift();
      wanted.delete(turn.id);
      parentPort?.postMessage({ id: turn.id, counts } satisfies CountAnswer);
    }
    // Receives new jobs and cancellations.
    await setImmediate();
  }
  isRunning = false;
}

function next(): Turn | undefined {
  return queues.short[0] ?? queues.long[0];
}

/** Runs a job for one time slice. Undefined: the job was cancelled or took too long. */
function step({ id, slices, endsMs }: Turn): Counts | "unfinished" {
  if (!wanted.has(id) || performance.now() > endsMs) return undefined;
  const { done, value } = slices.next();
  return done === true ? value : "unfinished";
}

function* countInSlices(tokenizer: Tokenizer, { texts, maxWorkMs }: CountJob): Generator<void, Counts> {
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
        spentMs += ofSlice;
        if (spentMs > maxWorkMs) return undefined;
        yield;
        sliceBegan = performance.now();
      }
      row.push({ tokens, torn });
    }
    counts.push(row);
  }
  return counts;
}

import { Worker, type WorkerOptions } from "node:worker_threads";
import type { VocabularyName } from "./vocabularies.ts";

/** Number of tokens of a text. */
export interface TextCount {
  readonly tokens: number;
  /** Number of cuts that may have split a token: see `Tokenizer.pieces`. */
  readonly torn: number;
}

/** Queue of a job, by the length of its texts. Long jobs wait while there are short ones. */
export type CountQueue = "short" | "long";

/** Texts for the thread to count. */
export interface CountJob {
  readonly vocabulary: VocabularyName;
  /** One list of texts for each counted item, such as a message. */
  readonly texts: readonly (readonly string[])[];
  readonly queue: CountQueue;
  /** Maximum time in ms that the thread works on this job. */
  readonly longestMs: number;
  /** Maximum time in ms from the arrival of this job to its counts. */
  readonly longestWaitMs: number;
}

/**
 * Counts of a job's texts, in the order of the texts. Undefined if the job took or waited too long, if it was
 * cancelled, if too many texts were waiting, or if the thread ended.
 */
export type Counts = readonly (readonly TextCount[])[] | undefined;

/** Message to the thread: a new job, or the cancellation of the job with this id. */
export interface CountOrder {
  readonly id: number;
  /** Absent: the thread cancels the job with this id. */
  readonly job?: CountJob;
}

export interface CountAnswer {
  readonly id: number;
  readonly counts: Counts;
}

export interface CountingThreadOptions {
  /** Time in ms after which an idle thread, with its loaded vocabularies, is ended. Default 300,000. */
  readonly idleMs?: number;
  /** Maximum time in ms that the thread works on one count, not including loading the vocabulary. Default 2,000. */
  readonly longestMs?: number;
  /** Maximum time in ms that one count waits and works, not including loading the vocabulary. Default 5,000. */
  readonly longestWaitMs?: number;
}

/** Maximum length of the texts of a short job, in UTF-16 code units. Counting them takes 4 to 120 ms. */
const shortLength = 2 ** 16;

/** Maximum length of all texts that wait in one of the two queues, in UTF-16 code units: 16 to 32 MiB in the thread. */
const mostWaiting = 2 ** 24;

// Without the Node.js flags of the process: a worker thread does not start with some of them.
const startOptions: WorkerOptions = { name: "token counting", execArgv: [] };

interface Running {
  readonly worker: Worker;
  /** Callback for the counts of each job, by job id. */
  readonly waiting: Map<number, (counts: Counts) => void>;
}

/**
 * Thread that loads vocabularies and counts tokens, so that neither blocks the streams of the service. A count starts
 * the thread if it is not running, and the thread ends after `idleMs` without a count. It keeps the process alive only
 * during a count.
 *
 * Callers can send large texts, many at once. So short jobs run first, each queue has a bound, and so has the time of
 * each job: beyond a bound, `count` resolves to undefined, and the caller estimates.
 *
 * The thread takes about 20 MB besides its vocabularies and 0.1 s to start. Then a short text takes 0.1 ms.
 */
export class CountingThread {
  readonly #idleMs: number;
  readonly #limits: Pick<CountJob, "longestMs" | "longestWaitMs">;
  /** Length of the texts in each queue. */
  readonly #lengths: Record<CountQueue, number> = { short: 0, long: 0 };
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor({ idleMs = 300_000, longestMs = 2000, longestWaitMs = 5000 }: CountingThreadOptions = {}) {
    this.#idleMs = idleMs;
    this.#limits = { longestMs, longestWaitMs };
  }

  /** Id of the running thread. Undefined if no thread is running. */
  get threadId(): number | undefined {
    return this.#running?.worker.threadId;
  }

  /** Counts the tokens of texts. Rejects with the signal's reason when the signal is aborted. */
  async count(vocabulary: VocabularyName, texts: CountJob["texts"], signal?: AbortSignal): Promise<Counts> {
    signal?.throwIfAborted();
    const length = lengthOf(texts);
    const queue = length > shortLength ? "long" : "short";
    if (this.#lengths[queue] + length > mostWaiting) return undefined;
    clearTimeout(this.#idle);
    this.#running ??= this.#start();
    const { worker, waiting } = this.#running;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Counts>();
    const onAbort = () => {
      worker.postMessage({ id } satisfies CountOrder);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    waiting.set(id, resolve);
    this.#lengths[queue] += length;
    worker.ref();
    worker.postMessage({ id, job: { vocabulary, texts, queue, ...this.#limits } } satisfies CountOrder);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      waiting.delete(id);
      this.#lengths[queue] -= length;
      if (waiting.size === 0) this.#rest(worker);
    }
  }

  /** Ends the thread. Pending counts resolve to undefined, and the next count starts a new thread. */
  close(): void {
    clearTimeout(this.#idle);
    if (this.#running) this.#end(this.#running);
  }

  #start(): Running {
    const worker = new Worker(new URL("./counting-thread-main.ts", import.meta.url), startOptions);
    const running: Running = { worker, waiting: new Map() };
    worker.on("message", ({ id, counts }: CountAnswer) => running.waiting.get(id)?.(counts));
    worker.on("error", (error) => {
      const reason = error instanceof Error ? error.message : "unknown error";
      process.emitWarning(`the token counting thread died; token counts are estimates until it restarts: ${reason}`);
    });
    worker.on("exit", () => this.#end(running));
    return running;
  }

  #end(running: Running): void {
    if (this.#running === running) this.#running = undefined;
    void running.worker.terminate();
    for (const settle of running.waiting.values()) settle(undefined);
  }

  #rest(worker: Worker): void {
    worker.unref();
    if (this.#running?.worker === worker) this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
  }
}

function lengthOf(texts: CountJob["texts"]): number {
  let length = 0;
  for (const ofOne of texts) for (const text of ofOne) length += text.length;
  return length;
}

/** Counting thread of the service. */
export const countingThread = new CountingThread();

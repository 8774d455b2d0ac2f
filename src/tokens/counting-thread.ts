import { Worker, type WorkerOptions } from "node:worker_threads";
import type { VocabularyName } from "./vocabularies.ts";

/** Number of tokens of a text. */
export interface TextCount {
  readonly tokens: number;
  /** Number of cuts that may have split a token: see `Tokenizer.pieces`. */
  readonly torn: number;
}

/** Texts for the thread to count. */
export interface CountJob {
  readonly vocabulary: VocabularyName;
  /** One list of texts for each counted item, such as a message. */
  readonly texts: readonly (readonly string[])[];
  /** Maximum time in ms that the thread works on this job. */
  readonly longestMs: number;
}

/**
 * Counts of a job's texts, in the order of the texts. Undefined if the job took too long or was cancelled, or if the
 * thread ended.
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
}

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
 * The thread takes about 20 MB besides its vocabularies and 0.1 s to start. Then a short text takes 0.1 ms.
 */
export class CountingThread {
  readonly #idleMs: number;
  readonly #longestMs: number;
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor({ idleMs = 300_000, longestMs = 2000 }: CountingThreadOptions = {}) {
    this.#idleMs = idleMs;
    this.#longestMs = longestMs;
  }

  /** Id of the running thread. Undefined if no thread is running. */
  get threadId(): number | undefined {
    return this.#running?.worker.threadId;
  }

  /** Counts the tokens of texts. Rejects with the signal's reason when the signal is aborted. */
  async count(vocabulary: VocabularyName, texts: CountJob["texts"], signal?: AbortSignal): Promise<Counts> {
    signal?.throwIfAborted();
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
    worker.ref();
    worker.postMessage({ id, job: { vocabulary, texts, longestMs: this.#longestMs } } satisfies CountOrder);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      waiting.delete(id);
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

/** Counting thread of the service. */
export const countingThread = new CountingThread();

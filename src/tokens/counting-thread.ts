import { Worker, type WorkerOptions } from "node:worker_threads";
import type { VocabularyName } from "./vocabularies.ts";

/** How many tokens a text has. */
export interface TextCount {
  readonly tokens: number;
  /** The places where the text was cut though a token may lie across: see `Tokenizer.pieces`. */
  readonly torn: number;
}

/** What the thread is to count. */
export interface CountJob {
  readonly vocabulary: VocabularyName;
  /** The texts of each thing that is counted, such as a message. */
  readonly texts: readonly (readonly string[])[];
  /** When the thread gives up, in milliseconds of its own work on this job. */
  readonly longestMs: number;
}

/** The counts of a job's texts, in its order. Undefined when it took too long, or the thread died. */
export type Counts = readonly (readonly TextCount[])[] | undefined;

/** What is sent to the thread: a job, or without one, that nobody waits for this job any more. */
export interface CountOrder {
  readonly id: number;
  readonly job?: CountJob;
}

export interface CountAnswer {
  readonly id: number;
  readonly counts: Counts;
}

export interface CountingThreadOptions {
  /** When a thread that nobody needs is ended, and what it has loaded with it, in milliseconds. Default 300,000. */
  readonly idleMs?: number;
  /** How long the thread may work on one count, without loading its vocabulary, in milliseconds. Default 2,000. */
  readonly longestMs?: number;
}

// Flags are for the program that the process was started with, and some would keep the thread from starting.
const startOptions: WorkerOptions = { name: "token counting", execArgv: [] };

interface Running {
  readonly worker: Worker;
  /** Who waits for what, by the job. */
  readonly waiting: Map<number, (counts: Counts) => void>;
}

/**
 * A thread that loads vocabularies and counts tokens, so that neither holds up the streams of the service. It starts
 * with the first count, stays for the next, and is started again when it died. It keeps the process alive only while
 * somebody waits for it. It takes some 20 MB besides its vocabularies, and 0.1 s to start; then a short text takes 0.1 ms.
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

  /** Undefined while there is none. */
  get threadId(): number | undefined {
    return this.#running?.worker.threadId;
  }

  /** Counts the tokens of texts. Throws the signal's reason when it fires. */
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

  /** Ends the thread. Whoever waits gets undefined, and the next count starts another. */
  close(): void {
    clearTimeout(this.#idle);
    if (this.#running) this.#end(this.#running);
  }

  #start(): Running {
    const worker = new Worker(new URL("./counting-thread-main.ts", import.meta.url), startOptions);
    const running: Running = { worker, waiting: new Map() };
    worker.on("message", ({ id, counts }: CountAnswer) => running.waiting.get(id)?.(counts));
    worker.on("error", (error) => {
      const reason = error instanceof Error ? error.message : "no error was given";
      process.emitWarning(`the thread that counts tokens died, and counts are estimated until it is back: ${reason}`);
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

/** The service's own. */
export const countingThread = new CountingThread();

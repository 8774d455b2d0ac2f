import { Worker, type WorkerOptions } from "node:worker_threads";
import { moduleUrl } from "../module-url.ts";
import { ownOutput } from "../thread/worker-output.ts";
import type { CountContext } from "./counting-limits.ts";
import { Turns } from "./turns.ts";
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
  readonly maxWorkMs: number;
  /** Maximum time in ms from the arrival of this job at the thread to its counts. */
  readonly maxTimeMs: number;
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
}

/** Maximum bytes of the texts of a short job, at two bytes for each UTF-16 code unit. Counting takes 4 to 120 ms. */
const shortBytes = 2 ** 17;

// Without the Node.js flags of the process: a worker thread does not start with some of them.
const startOptions: WorkerOptions = { name: "token counting", execArgv: [], ...ownOutput };

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
 * Callers can send large texts, many at once. So short jobs run first, and long ones in turns of their accounts, one at
 * a time. Each queue has a bound, and so has the time of each job: beyond a bound, `count` resolves to undefined, and
 * the caller estimates.
 *
 * The thread takes about 20 MB besides its vocabularies and 0.1 s to start. Then a short text takes 0.1 ms.
 */
export class CountingThread {
  readonly #idleMs: number;
  /** Bytes of the texts of all short jobs. */
  #shortBytes = 0;
  readonly #turns = new Turns();
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor({ idleMs = 300_000 }: CountingThreadOptions = {}) {
    this.#idleMs = idleMs;
  }

  /** Id of the running thread. Undefined if no thread is running. */
  get threadId(): number | undefined {
    return this.#running?.worker.threadId;
  }

  /** Counts the tokens of texts. Rejects with the signal's reason when the signal is aborted. */
  count(vocabulary: VocabularyName, texts: CountJob["texts"], context: CountContext): Promise<Counts> {
    const { maxWorkMs, maxTimeMs } = context.limits;
    const bytes = bytesOf(texts);
    return bytes > shortBytes
      ? this.#countLong({ vocabulary, texts, queue: "long", maxWorkMs, maxTimeMs }, bytes, context)
      : this.#countShort({ vocabulary, texts, queue: "short", maxWorkMs, maxTimeMs }, bytes, context);
  }

  async #countLong(job: CountJob, bytes: number, context: CountContext): Promise<Counts> {
    const beganMs = performance.now();
    if (!(await this.#turns.take(context, bytes))) return undefined;
    try {
      const maxTimeMs = job.maxTimeMs - (performance.now() - beganMs);
      return await this.#run({ ...job, maxTimeMs }, context.signal);
    } finally {
      this.#turns.release(context);
    }
  }

  async #countShort(job: CountJob, bytes: number, { signal, limits }: CountContext): Promise<Counts> {
    if (this.#shortBytes + bytes > limits.maxQueueBytes) return undefined;
    this.#shortBytes += bytes;
    try {
      return await this.#run(job, signal);
    } finally {
      this.#shortBytes -= bytes;
    }
  }

  /** Runs a job in the thread. Not async, since each layer of promises costs short jobs. */
  #run(job: CountJob, signal: AbortSignal): Promise<Counts> {
    if (signal.aborted) return Promise.reject(signal.reason);
    clearTimeout(this.#idle);
    this.#running ??= this.#start();
    const { worker, waiting } = this.#running;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Counts>();
    const end = () => {
      signal.removeEventListener("abort", onAbort);
      waiting.delete(id);
      if (waiting.size === 0) this.#rest(worker);
    };
    const onAbort = () => {
      end();
      worker.postMessage({ id } satisfies CountOrder);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    waiting.set(id, (counts) => {
      end();
      resolve(counts);
    });
    worker.ref();
    worker.postMessage({ id, job } satisfies CountOrder);
    return promise;
  }

  /** Ends the thread. Pending counts resolve to undefined, and the next count starts a new thread. */
  close(): void {
    clearTimeout(this.#idle);
    if (this.#running) this.#end(this.#running);
  }

  #start(): Running {
    const worker = new Worker(moduleUrl("./counting-thread-main", import.meta.url), startOptions);
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
    this.#turns.endWaits();
    for (const settle of running.waiting.values()) settle(undefined);
  }

  #rest(worker: Worker): void {
    worker.unref();
    if (this.#running?.worker === worker) this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
  }
}

function bytesOf(texts: CountJob["texts"]): number {
  let length = 0;
  for (const ofOne of texts) for (const text of ofOne) length += text.length;
  return 2 * length;
}

/** Counting thread of the service. */
export const countingThread = new CountingThread();

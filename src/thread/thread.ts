import { Worker } from "node:worker_threads";
import { GatewayError } from "../errors.ts";
import type { Order, Report } from "./messages.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { ownOutput } from "./worker-output.ts";

interface ThreadParts {
  /** Module that runs in the thread. It calls `runThread`. */
  readonly main: URL;
  /** Name of the thread, for tools. */
  readonly name: string;
  /** What the module gets. It must be cloneable. */
  readonly data: unknown;
  /** Maximum calls in progress. Default 256. */
  readonly maxCalls?: number;
  /** An event of the thread. */
  readonly onEvent: (event: string, value: unknown) => void;
  /** The thread ended by a fault. It starts again after `restartMs` milliseconds, unless the process closes it. */
  readonly onDown: (error: Error, restartMs: number | undefined) => void;
}

/** Waits before a restart, in ms: doubled after each fault, and from the beginning after a run of `steadyMs`. */
const firstRestartMs = 100;
const longestRestartMs = 30_000;
const steadyMs = 60_000;

/** What a thread keeps between two messages is small: a young generation of 2 MiB instead of 32 MiB saves memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

interface Run {
  readonly worker: Worker;
  readonly calls: ThreadCalls;
  readonly beganMs: number;
}

/**
 * Worker thread that answers calls, and that starts again if it dies. Its death fails the calls in progress with
 * STORE_UNAVAILABLE and has no other effect on the process, which the thread does not keep alive.
 */
export class Thread {
  readonly #parts: ThreadParts;
  readonly #maxCalls: number;
  #run: Run | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = firstRestartMs;
  /** Time at which the thread starts again, from `performance.now()`. */
  #restartsAtMs = 0;
  #closing: Promise<boolean> | undefined;

  constructor(parts: ThreadParts) {
    this.#parts = parts;
    this.#maxCalls = parts.maxCalls ?? 256;
  }

  /** Starts the thread unless it runs or waits for its restart. A call also does. */
  start(): void {
    if (this.#run === undefined && this.#restart === undefined && this.#closing === undefined) this.#begin();
  }

  /**
   * Calls a method. Rejects with its error, or with STORE_UNAVAILABLE if it takes longer than `timeoutMs`, too many
   * calls are in progress or the thread died; after `close`, with SHUTTING_DOWN.
   */
  call(method: string, parameters: readonly unknown[], timeoutMs: number): Promise<unknown> {
    if (this.#closing) return Promise.reject(shuttingDown());
    this.start();
    if (this.#run === undefined) {
      return Promise.reject(threadDied(Math.max(0, this.#restartsAtMs - performance.now())));
    }
    return this.#run.calls.call(method, parameters, timeoutMs);
  }

  /**
   * Tells the thread to end its work within `graceMs` milliseconds. Resolves with true when it has ended, and with false
   * if it had to be ended by force, `endMs` milliseconds later. Calls in progress reject with SHUTTING_DOWN.
   */
  close(graceMs: number, endMs = 0): Promise<boolean> {
    this.#closing ??= this.#close(graceMs, endMs);
    return this.#closing;
  }

  async #close(graceMs: number, endMs: number): Promise<boolean> {
    clearTimeout(this.#restart);
    if (this.#run === undefined) return true;
    const { worker } = this.#run;
    worker.ref();
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    let isForced = false;
    const force = setTimeout(() => {
      isForced = true;
      void worker.terminate();
    }, graceMs + endMs);
    worker.postMessage({ closeMs: graceMs } satisfies Order);
    await ended;
    clearTimeout(force);
    return !isForced;
  }

  #begin(): void {
    this.#restart = undefined;
    const { main, name, data } = this.#parts;
    // Without the Node.js flags of the process: a worker thread does not start with some of them.
    const worker = new Worker(main, { name, workerData: data, execArgv: [], resourceLimits, ...ownOutput });
    worker.unref();
    const calls = new ThreadCalls((order) => worker.postMessage(order satisfies Order), this.#maxCalls);
    const run: Run = { worker, calls, beganMs: performance.now() };
    this.#run = run;
    let fault: Error | undefined;
    worker.on("message", (report: Report) => {
      if ("event" in report) this.#parts.onEvent(report.event, report.value);
      else calls.receive(report);
    });
    worker.on("error", (error) => {
      fault = error instanceof Error ? error : new Error(String(error));
    });
    worker.on("exit", (code) => {
      this.#run = undefined;
      if (!this.#closing) this.#startAgain(run, fault ?? new Error(`the thread exited with ${code}`));
      else {
        calls.fail(shuttingDown());
        if (fault) this.#parts.onDown(fault, undefined);
      }
    });
  }

  #startAgain({ calls, beganMs }: Run, fault: Error): void {
    if (performance.now() - beganMs > steadyMs) this.#restartMs = firstRestartMs;
    // Between half of the wait and all of it, so that replicas with the same fault do not restart together.
    const restartMs = this.#restartMs * (0.5 + Math.random() / 2);
    this.#restartMs = Math.min(2 * this.#restartMs, longestRestartMs);
    this.#restartsAtMs = performance.now() + restartMs;
    this.#restart = setTimeout(() => this.#begin(), restartMs).unref();
    calls.fail(threadDied(restartMs));
    this.#parts.onDown(fault, restartMs);
  }
}

function threadDied(restartMs: number): GatewayError {
  const message = "the thread of the database failed and starts again; retry later";
  return new GatewayError("STORE_UNAVAILABLE", message, { retryAfterMs: restartMs });
}

function shuttingDown(): GatewayError {
  return new GatewayError("SHUTTING_DOWN", "the service is shutting down; call another instance");
}

import cluster, { type Worker } from "node:cluster";
import { setTimeout as delay } from "node:timers/promises";
import type { Order, ReloadReply, Report, WorkerStart } from "./messages.ts";
import { passLines } from "./whole-lines.ts";
import { formatWorker, type WorkerNumbers, workerVariable } from "./worker-variable.ts";

/** Longest wait in ms for the last output of a worker that has ended. Its child processes can have the pipe. */
const outputMs = 500;

/** How a worker ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

interface MemberOptions {
  readonly numbers: WorkerNumbers;
  readonly onReport: (member: Member, report: Report) => void;
  readonly writeLog: (lines: Buffer) => void;
  readonly writeError: (member: Member, lines: string) => void;
}

/** A worker process, as the supervisor sees it. */
export class Member {
  /** Unique among all workers that there have been. */
  readonly id: number;
  readonly slot: number;
  /** Resolves with what the worker tells when the worker accepts calls, or with undefined if it ends before. */
  readonly ready: Promise<WorkerStart | undefined>;
  /** Resolves when the worker has ended, and all of its output has been passed on. */
  readonly ended: Promise<Ended>;
  readonly #worker: Worker;
  readonly #startedMs = performance.now();
  #isReady = false;
  /** Waits for the replies to orders to reload, which come in their order. */
  readonly #reloads: ((reply: ReloadReply | undefined) => void)[] = [];

  constructor({ numbers, onReport, writeLog, writeError }: MemberOptions) {
    const worker = cluster.fork({ [workerVariable]: formatWorker(numbers) });
    this.#worker = worker;
    this.id = worker.id;
    this.slot = numbers.worker;
    passLines(worker.process.stdout, writeLog);
    passLines(worker.process.stderr, (lines) => writeError(this, lines.toString()));
    const { promise, resolve } = Promise.withResolvers<WorkerStart | undefined>();
    this.ready = promise;
    worker.on("message", (report: Report) => {
      if (report.kind === "ready") {
        this.#isReady = true;
        resolve(report);
      }
      if (report.kind === "reloaded") this.#reloads.shift()?.(report.reply);
      onReport(this, report);
    });
    // Orders to a worker that ends meanwhile fail.
    worker.on("error", () => {});
    this.ended = endOf(worker);
    void this.ended.then(() => {
      resolve(undefined);
      for (const reply of this.#reloads.splice(0)) reply(undefined);
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Whether it has accepted calls. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get ranMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** Lets the worker read its configuration again, once it is ready. Undefined: the worker has ended. */
  async reload(): Promise<ReloadReply | undefined> {
    if ((await this.ready) === undefined || !this.#worker.isConnected()) return undefined;
    const { promise, resolve } = Promise.withResolvers<ReloadReply | undefined>();
    this.#reloads.push(resolve);
    this.send({ kind: "reload" });
    return promise;
  }

  /** Sends an order. Has no effect on a worker that ends. */
  send(order: Order): void {
    if (this.#worker.isConnected()) this.#worker.send(order, () => {});
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}

/** Resolves when a worker has ended, and its output has been read. */
async function endOf({ process: child }: Worker): Promise<Ended> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const ended = await new Promise<Ended>((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  await Promise.race([closed, delay(outputMs, undefined, { ref: false })]);
  return ended;
}

/** Resolves with the first worker that ends before it is ready, or with undefined when all are ready. */
export async function firstThatFails(members: readonly Member[]): Promise<Member | undefined> {
  const failed = Promise.withResolvers<Member | undefined>();
  const starts = members.map(async (member) => {
    if ((await member.ready) === undefined) failed.resolve(member);
  });
  void Promise.all(starts).then(() => failed.resolve(undefined));
  return failed.promise;
}

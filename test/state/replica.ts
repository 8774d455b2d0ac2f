import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Claim } from "../../src/accounts/limits/limit-store.ts";

export interface ReplicaOptions {
  readonly url: string;
  readonly prefix: string;
  /** Difference of the process's clock from the machine's. */
  readonly clockOffsetMs: number;
  readonly durationMs: number;
  /** Number of calls at the same time. */
  readonly callers: number;
  readonly claims: readonly Claim[];
  /** Longest time of a call. Negative: calls never settle. */
  readonly holdMs: number;
  readonly leaseMs: number;
  /** Share of the hold of a budget that a call uses. */
  readonly usedShare: number;
}

/** What a replica tells about a call. The times are of one clock for all processes of the machine. */
export interface Outcome {
  readonly id: string;
  /** Time range of the call in whole ms on the clock of Redis, which can run at another speed than the one in us. */
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly sentUs: number;
  readonly receivedUs: number;
  readonly settledUs: number;
  readonly isAdmitted: boolean;
  readonly shared: boolean;
  readonly used: readonly number[];
}

/** A replica in a process of its own. */
export class Replica {
  readonly outcomes: Outcome[] = [];
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#exit = once(child, "exit");
    child.on("message", (outcome: Outcome) => {
      this.outcomes.push(outcome);
      if (this.#waiting !== undefined && this.outcomes.length >= this.#waiting.count) this.#waiting.resolve();
    });
  }

  static async start(options: ReplicaOptions): Promise<Replica> {
    const child = fork(resolve(import.meta.dirname, "replica-main.ts"), [JSON.stringify(options)]);
    await once(child, "message");
    return new Replica(child);
  }

  begin(): void {
    this.#process.send("begin");
  }

  /** Resolves when the replica has told about this number of calls. */
  told(count: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { count, resolve: done };
      if (this.outcomes.length >= count) done();
    });
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exit;
  }

  /** Resolves when the replica has made all of its calls. */
  async done(): Promise<void> {
    await this.#exit;
  }
}

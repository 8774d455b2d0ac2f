import { once } from "node:events";
import type { Job, JobResult, LoadJob, Target } from "./load/jobs.ts";
import type { Child, ProcessGroup } from "./processes.ts";
import { cpuMicroseconds } from "./usage.ts";

/** A process under test. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly target: Target;
}

/** How long and how often to measure. */
export interface Scale {
  /** Rounds of each comparison; the sides take turns in each round. */
  readonly rounds: number;
  /** How long one side is under load in one round. */
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** Latency samples of each side in a round. */
  readonly samples: number;
  readonly pacedSeconds: number;
  /** From the end of the load to the last look at the memory. */
  readonly settleMs: number;
}

export interface Cost {
  readonly callsPerSecond: number;
  readonly microsecondsPerCall: number;
  readonly messagesPerCall: number;
}

/** What the measurements share: the processes, the scale, and what went wrong. */
export class Bench {
  readonly service: Server;
  readonly bare: Server;
  /** The upstream itself, without anything in between. */
  readonly direct: Target;
  readonly scale: Scale;
  /** Calls that failed and answers that were wrong. */
  readonly problems: string[] = [];
  readonly #load: Child;
  readonly #processes: ProcessGroup;

  constructor(
    servers: { readonly service: Server; readonly bare: Server; readonly direct: Target },
    load: Child,
    processes: ProcessGroup,
    scale: Scale,
  ) {
    this.service = servers.service;
    this.bare = servers.bare;
    this.direct = servers.direct;
    this.scale = scale;
    this.#load = load;
    this.#processes = processes;
  }

  /** Has the load generator do one job. */
  async run<J extends Job>(job: J): Promise<JobResult<J>> {
    this.#load.process.send(job);
    const [message] = await this.#processes.whileAlive(once(this.#load.process, "message"));
    // The other end of the channel is bench/load/main.ts, which answers a job with its kind of result.
    const answer = message as { readonly result: JobResult<J> } | { readonly error: string };
    if ("error" in answer) throw new Error(`load generator: ${answer.error}`);
    return answer.result;
  }

  /** Puts a server under load and reads what that cost it. */
  async cost(server: Server, job: Omit<LoadJob, "kind" | "target">): Promise<Cost> {
    const before = cpuMicroseconds(server.pid);
    const result = await this.run({ kind: "load", target: server.target, ...job });
    const used = cpuMicroseconds(server.pid) - before;
    if (result.failures > 0) {
      const ask = `${job.ask.stream === undefined ? "unary" : "stream"} ${job.ask.model}`;
      this.problems.push(
        `${server.name}, ${ask}: ${result.failures} calls failed, the first with ${result.firstFailure}`,
      );
    }
    return {
      callsPerSecond: result.calls / result.seconds,
      microsecondsPerCall: used / result.calls,
      messagesPerCall: result.messages / result.calls,
    };
  }
}

import { once } from "node:events";
import type { Job, JobResult, LoadJob, Target } from "./load/jobs.ts";
import type { Probe } from "./probe.ts";
import type { Child, ProcessGroup } from "./processes.ts";
import { cpuMicroseconds } from "./usage.ts";

/** A process under test. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly target: Target;
  /** The process with a channel to bench/probe.ts. Undefined: it has none. */
  readonly probed?: Child;
}

/** Durations and repetitions of the measurements. */
export interface Scale {
  /** Rounds per comparison. Both servers are measured in every round. */
  readonly rounds: number;
  /** Duration of the load on one server in one round, in ms. */
  readonly roundMs: number;
  /** Duration of the load before the first round, in ms. Its figures are not reported. */
  readonly warmUpMs: number;
  /** Latency samples per target and round. */
  readonly samples: number;
  /** Duration of each paced stream in seconds. */
  readonly pacedSeconds: number;
  /** Wait before memory is read, both before and after the paced streams, in ms. */
  readonly settleMs: number;
  /** Time without calls before the first calls after idleness are measured, in ms. V8's own idle work waits 8,000. */
  readonly idleMs: number;
  /** Pauses of that length. */
  readonly idleRounds: number;
}

export interface Cost {
  readonly callsPerSecond: number;
  /** CPU time of the server per successful call, in µs. */
  readonly microsecondsPerCall: number;
  readonly messagesPerCall: number;
}

/** State that all measurements share: the servers, the scale and the problems found. */
export class Bench {
  readonly service: Server;
  readonly bare: Server;
  /** The upstream without a gateway in front of it. */
  readonly direct: Target;
  readonly scale: Scale;
  /** Descriptions of failed calls and wrong responses. */
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

  /** Runs one job in the load generator. Throws if the job fails or a process exits. */
  async run<J extends Job>(job: J): Promise<JobResult<J>> {
    this.#load.process.send(job);
    const [message] = await this.#processes.whileAlive(once(this.#load.process, "message"));
    // The cast is safe: bench/load/main.ts replies to each job with the result type of that job, or with an error.
    const reply = message as { readonly result: JobResult<J> } | { readonly error: string };
    if ("error" in reply) throw new Error(`load generator: ${reply.error}`);
    return reply.result;
  }

  /** Asks bench/probe.ts in the service. */
  async probe(asked: Probe): Promise<number> {
    const child = this.service.probed?.process;
    if (child === undefined) throw new Error("the service runs without bench/probe.ts");
    child.send(asked);
    const [{ value }] = await this.#processes.whileAlive(once(child, "message"));
    return value;
  }

  /** Runs a load job against the service and returns the number of calls. */
  async count(job: Omit<LoadJob, "kind" | "target">): Promise<number> {
    return (await this.run({ kind: "load", target: this.service.target, ...job })).calls;
  }

  /** Runs a load job against a server and returns its throughput and CPU time per call. */
  async cost(server: Server, job: Omit<LoadJob, "kind" | "target">): Promise<Cost> {
    const before = cpuMicroseconds(server.pid);
    const result = await this.run({ kind: "load", target: server.target, ...job });
    const used = cpuMicroseconds(server.pid) - before;
    if (result.failures > 0) {
      const kind = job.ask.stream === undefined ? "unary" : "stream";
      this.problems.push(
        `${server.name}, ${kind} ${job.ask.model}: ${result.failures} failed calls, the first: ${result.firstFailure}`,
      );
    }
    return {
      callsPerSecond: result.calls / result.seconds,
      microsecondsPerCall: used / result.calls,
      messagesPerCall: result.messages / result.calls,
    };
  }
}

/** The load generator: receives jobs from its parent process, one at a time, and sends back their results. */
import { announce } from "../announce.ts";
import type { Caller } from "./caller.ts";
import { GrpcCaller } from "./grpc-caller.ts";
import { HttpCaller } from "./http-caller.ts";
import type { Job, JobResult, Target } from "./jobs.ts";
import { runLatency, runLoad, runPaced } from "./run-jobs.ts";
import { runOpen, runRelease } from "./run-open.ts";
import { runStalled } from "./run-stalled.ts";

/** Connections per gRPC server. One would limit the load generator; a real backend would not open many. */
const grpcConnections = 4;

const callers = new Map<string, Caller>();

/** Returns the caller of a target. Reuses its connections from earlier jobs, so that no job measures their setup. */
function callerFor(target: Target): Caller {
  const key = JSON.stringify(target);
  let caller = callers.get(key);
  if (caller === undefined) {
    caller =
      target.protocol === "grpc"
        ? new GrpcCaller(target.port, grpcConnections, target.headers)
        : new HttpCaller(target.url, target.headers);
    callers.set(key, caller);
  }
  return caller;
}

function run(job: Job): Promise<JobResult<Job>> {
  switch (job.kind) {
    case "load":
      return runLoad(job, callerFor(job.target));
    case "latency":
      return runLatency(job, job.targets.map(callerFor));
    case "paced":
      return runPaced(job, callerFor(job.target));
    case "stalled":
      return runStalled(job);
    case "open":
      return runOpen(job, callerFor(job.target));
    case "release":
      return runRelease(callerFor(job.target));
    default:
      throw new Error(`unknown job ${JSON.stringify(job satisfies never)}`);
  }
}

process.on("message", (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
announce(0);

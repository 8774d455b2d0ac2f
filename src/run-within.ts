import { type Context, createContext, Script } from "node:vm";

/** Maximum number of runs of the same work on a busy machine. */
const mostRuns = 3;

const script = new Script("work()");
const timedOut = "ERR_SCRIPT_EXECUTION_TIMEOUT";
let sandbox: Context | undefined;

/**
 * Runs synchronous work with a timeout in ms and returns its result. Throws `TookTooLong` after the timeout. Uses
 * `node:vm`, since only that can stop synchronous code; it cannot stop a single call of a built-in function. The
 * timeout includes waiting for a busy CPU. So work that timed out runs again if its CPU time is at most half of the
 * limit.
 */
export function runWithin<Result>(timeoutMs: number, work: () => Result): Result {
  sandbox ??= createContext({});
  sandbox.work = work;
  try {
    for (let runs = 1; ; runs++) {
      const begin = process.threadCpuUsage();
      try {
        return script.runInContext(sandbox, { timeout: timeoutMs });
      } catch (error) {
        if (!isTimeout(error)) throw error;
        const { user, system } = process.threadCpuUsage(begin);
        const usedMs = (user + system) / 1_000;
        if (usedMs > timeoutMs / 2 || runs === mostRuns) throw new TookTooLong(`the work took over ${timeoutMs} ms`);
      }
    }
  } finally {
    delete sandbox.work;
  }
}

/** Error of `runWithin` after the timeout. */
export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/** Checks the code instead of `instanceof Error`: the error comes from another context, which has its own `Error`. */
function isTimeout(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === timedOut;
}

import { type Context, createContext, Script } from "node:vm";

const script = new Script("work()");
const timedOut = "ERR_SCRIPT_EXECUTION_TIMEOUT";
let sandbox: Context | undefined;

/**
 * Runs synchronous work with a timeout in ms and returns its result. Throws `TookTooLong` after the timeout. Uses
 * `node:vm`, since only that can stop synchronous code; it cannot stop a single call of a built-in function. The
 * timeout includes waiting for a busy CPU. So work that timed out with less CPU time runs again, for up to twice the
 * timeout.
 */
export function runWithin<Result>(timeoutMs: number, work: () => Result): Result {
  sandbox ??= createContext({});
  sandbox.work = work;
  try {
    const begin = process.threadCpuUsage();
    try {
      return script.runInContext(sandbox, { timeout: timeoutMs });
    } catch (error) {
      const { user, system } = process.threadCpuUsage(begin);
      // The clock of the timeout and that of the CPU time differ a little.
      const usedAll = (user + system) / 1_000 > 0.9 * timeoutMs;
      if (!isTimeout(error) || usedAll) throw error;
      return script.runInContext(sandbox, { timeout: 2 * timeoutMs });
    }
  } catch (error) {
    throw isTimeout(error) ? new TookTooLong(`the work took over ${timeoutMs} ms`) : error;
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

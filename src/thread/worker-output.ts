import type { WorkerOptions } from "node:worker_threads";

/**
 * Options of a worker thread whose output Node.js does not pipe to that of the process: to do so, it creates
 * `process.stdout`, which makes the pipe of the log non-blocking for all processes that share it. Nobody reads the output
 * of the thread, which prints nothing: its messages and errors tell what happens.
 */
export const ownOutput = { stdout: true, stderr: true } as const satisfies WorkerOptions;

/** Variable with which the supervisor starts a worker: its number, a slash, and the number of workers. */
export const workerVariable = "DRAGOMAN_WORKER";

/** Reads the variable. Undefined: the process is no worker. */
export function parseWorker(
  text: string | undefined,
): { readonly worker: number; readonly workers: number } | undefined {
  const [, worker, workers] = /^(\d+)\/(\d+)$/.exec(text ?? "") ?? [];
  return worker === undefined ? undefined : { worker: Number(worker), workers: Number(workers) };
}

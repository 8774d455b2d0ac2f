/** Variable with which the supervisor starts a worker. */
export const workerVariable = "DRAGOMAN_WORKER";

/** What a worker knows from its start. */
export interface WorkerNumbers {
  /** Number of the worker, counted from 1, or `modelsWorker`. The successor of a worker has the same. */
  readonly worker: number;
  /** Number of workers. */
  readonly workers: number;
  /** When the supervisor started, in ms since 1970: before the first call of any worker. */
  readonly sinceMs: number;
  /** Unix socket of the process that has the models of `local`. */
  readonly modelsPath: string;
}

/** Number of the process that has the models of `local`. It serves no calls itself. */
export const modelsWorker = 0;

export function formatWorker({ worker, workers, sinceMs, modelsPath }: WorkerNumbers): string {
  return `${worker}/${workers}/${sinceMs}/${modelsPath}`;
}

/** Reads the variable. Undefined: the process is no worker. */
export function parseWorker(text: string | undefined): WorkerNumbers | undefined {
  const [, worker, workers, sinceMs, modelsPath] = /^(\d+)\/(\d+)\/(\d+)\/(.+)$/s.exec(text ?? "") ?? [];
  if (modelsPath === undefined) return undefined;
  return { worker: Number(worker), workers: Number(workers), sinceMs: Number(sinceMs), modelsPath };
}

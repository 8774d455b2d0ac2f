/** Variable with which the supervisor starts a worker. */
export const workerVariable = "DRAGOMAN_WORKER";

/** What a worker knows from its start. */
export interface WorkerNumbers {
  /** Number of the worker, counted from 1. The successor of a worker has the same. */
  readonly worker: number;
  /** Number of workers. */
  readonly workers: number;
  /** When the supervisor started, in ms since 1970: before the first call of any worker. */
  readonly sinceMs: number;
}

export function formatWorker({ worker, workers, sinceMs }: WorkerNumbers): string {
  return `${worker}/${workers}/${sinceMs}`;
}

/** Reads the variable. Undefined: the process is no worker. */
export function parseWorker(text: string | undefined): WorkerNumbers | undefined {
  const [, worker, workers, sinceMs] = /^(\d+)\/(\d+)\/(\d+)$/.exec(text ?? "") ?? [];
  if (sinceMs === undefined) return undefined;
  return { worker: Number(worker), workers: Number(workers), sinceMs: Number(sinceMs) };
}

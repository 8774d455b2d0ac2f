import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type ServiceProcess, startProcess } from "../support/process.ts";

/** Dragoman with workers. The configuration file stays until the test ends, since each new worker reads it. */
export interface Workers {
  readonly service: ServiceProcess;
  /** Path of the configuration file. */
  readonly file: string;
  /** Process ids of the workers that have started so far, in their order. */
  pids(): readonly number[];
  /** Resolves when this number of workers has started. */
  started(count: number): Promise<readonly number[]>;
}

/** Starts the program with workers. It ends with the test. */
export async function startWorkers(
  workers: number,
  yaml = "",
  environment: Readonly<Record<string, string>> = {},
  local = "{ enabled: false }",
): Promise<Workers> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-workers-"));
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, `workers: ${workers}\nlog: { level: debug }\nproviders: { local: ${local} }\n${yaml}`);
  const service = await startProcess({ DRAGOMAN_CONFIG: file, ...environment });
  onTestFinished(async () => {
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  // Worker 0 has the models of `local`, and serves no calls.
  const readyLines = () => service.log.filter(({ msg, worker }) => msg === "worker is ready" && worker !== 0);
  const pids = () => readyLines().map(({ pid }) => Number(pid));
  return {
    service,
    file,
    pids,
    async started(count) {
      await service.logLine((line) => line.msg === "worker is ready" && pids().length >= count);
      return pids();
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

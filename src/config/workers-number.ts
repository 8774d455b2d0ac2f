import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { readConfigFile } from "./config-file.ts";
import type { Environment } from "./environment.ts";
import { interpolate } from "./interpolate.ts";

/** Maximum number of workers: more than machines have cores that one service could use. */
export const mostWorkers = 256;

/** Parses `workers`. `auto`: as many as the machine has cores for the process. Undefined: the value is wrong. */
export function parseWorkers(value: unknown): number | undefined {
  if (value === "auto") return Math.min(availableParallelism(), mostWorkers);
  // A `${VARIABLE}` is a string.
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  const isValid = typeof number === "number" && Number.isInteger(number) && number >= 1 && number <= mostWorkers;
  return isValid ? number : undefined;
}

/**
 * Returns the number of workers of a configuration file, without loading the configuration: the process that supervises
 * workers needs no more of it, and so takes half the memory. 1: there are no workers, or the file has a mistake that
 * loading it reports, or it can be read only once.
 */
export function peekWorkers(file: string | undefined, environment: Environment): number {
  const source = file ?? (environment.DRAGOMAN_CONFIG || undefined);
  if (source === undefined || !statSync(source, { throwIfNoEntry: false })?.isFile()) return 1;
  try {
    const { workers = 1 } = readConfigFile(source);
    return parseWorkers(interpolate({ workers }, environment, () => {}).workers) ?? 1;
  } catch {
    return 1;
  }
}

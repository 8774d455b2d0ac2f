import { readFileSync } from "node:fs";
import { describeSystemError } from "../../system-error.ts";
import { UsageError } from "../failures.ts";

/** Reads the file of an option. Throws UsageError. */
export function readFile(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`--${option}: cannot read the file ${JSON.stringify(path)}: ${describeSystemError(error)}`);
  }
}

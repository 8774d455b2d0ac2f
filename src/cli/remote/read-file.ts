import { readFileSync } from "node:fs";
import { UsageError } from "../failures.ts";

/** Reads the file of an option. Throws UsageError. */
export function readFile(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new UsageError(`--${option}: cannot read the file ${JSON.stringify(path)} (${reason})`);
  }
}

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { PreparationOutput } from "../../preparation.ts";
import { clearProgress, showProgress } from "./progress.ts";

/** Concatenates files into `target`, if set, and returns the SHA-256 of the result. `what` labels the progress bar. */
export async function writeHashed(
  parts: readonly string[],
  target: string | undefined,
  what: string,
  output: PreparationOutput,
): Promise<string> {
  const total = (await Promise.all(parts.map((part) => stat(part)))).reduce((sum, { size }) => sum + size, 0);
  const hash = createHash("sha256");
  const file = target === undefined ? undefined : await open(target, "w");
  let done = 0;
  try {
    for (const part of parts) {
      for await (const chunk of createReadStream(part, { highWaterMark: 1 << 20 })) {
        hash.update(chunk);
        await file?.appendFile(chunk);
        done += chunk.length;
        showProgress(what, done / total, output);
      }
    }
    await file?.sync();
  } finally {
    await file?.close();
    clearProgress(output);
  }
  return hash.digest("hex");
}

import type { PreparationOutput } from "../../preparation.ts";

const width = 40;

/** Draws a progress bar over the line of the terminal. Does nothing without a terminal. */
export function showProgress(what: string, share: number, output: PreparationOutput): void {
  if (!output.isTTY) return;
  const shown = Math.min(share, 1);
  const bar = "#".repeat(Math.round(shown * width)).padEnd(width, ".");
  output.write(`\r${what} [${bar}] ${Math.round(shown * 100)} %`);
}

export function clearProgress(output: PreparationOutput): void {
  if (output.isTTY) output.write("\r\x1b[K");
}

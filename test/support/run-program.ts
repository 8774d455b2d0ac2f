import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { programVariables } from "./process.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

/** How a run of the program ended. */
export interface Ended {
  /** Exit code. Null: a signal ended it. */
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input. Default: nothing. */
  readonly input?: string;
  /** Called with standard output so far, whenever it grows, and with what sends a signal, but only once. */
  readonly onOutput?: (output: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the program as a user does. It ends with the test. */
export async function runProgram(
  parameters: readonly string[],
  { environment = {}, input = "", onOutput }: Surroundings = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...parameters], {
    env: { ...programVariables, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  // A command can end before it has read its input.
  child.stdin.on("error", () => {}).end(input);
  let printed = "";
  let hasSignaled = false;
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
    onOutput?.(printed, (signal) => {
      // A second one could end the program while it handles the first.
      if (!hasSignaled) hasSignaled = child.kill(signal);
    });
  });
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  const error = await text(child.stderr);
  return { status: await status, output: printed, error };
}

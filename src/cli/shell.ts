import { createInterface, type Interface } from "node:readline";
import type { Environment } from "../config/environment.ts";

/** Stream that a command writes to. */
export interface Output {
  write(text: string): unknown;
  /** Whether a person reads it in a terminal. */
  readonly isTTY?: boolean;
  /** Width of the terminal. Undefined without one. */
  readonly columns?: number;
}

/** What a command reads from and writes to. */
export interface Shell {
  readonly environment: Environment;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Opens a dialog with a person, who writes lines after a prompt on standard error. Undefined: there is no terminal. */
  readonly openDialog?: (() => Interface) | undefined;
  /** Calls `listener` at Ctrl-C, which then does not end the process. Returns a function that removes the listener. */
  onInterrupt(listener: () => void): () => void;
}

/**
 * Returns the shell of a process. It opens a stream at its first use: the service writes to the same descriptors in its
 * own way.
 */
export function shellOf(process: NodeJS.Process, environment: Environment): Shell {
  const streams: { stdout?: Output; stderr?: Output } = {};
  const open = (name: "stdout" | "stderr"): Output => {
    streams[name] ??= process[name].on("error", (error: NodeJS.ErrnoException) => {
      // The reader, such as `head`, has read enough.
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
    return streams[name];
  };
  return {
    environment,
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return open("stdout");
    },
    get stderr() {
      return open("stderr");
    },
    get openDialog() {
      const { stdin: input, stderr: output } = process;
      return input.isTTY && output.isTTY ? () => createInterface({ input, output, historySize: 100 }) : undefined;
    },
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      return () => process.off("SIGINT", listener);
    },
  };
}

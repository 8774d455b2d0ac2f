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
}

/**
 * Returns the shell of a process. It opens a stream at its first use: the service writes to the same descriptors in its
 * own way.
 */
export function shellOf(process: NodeJS.Process, environment: Environment): Shell {
  let stdout: Output | undefined;
  return {
    environment,
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      stdout ??= process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        // The reader, such as `head`, has read enough.
        if (error.code === "EPIPE") process.exit();
        throw error;
      });
      return stdout;
    },
    get stderr() {
      return process.stderr;
    },
  };
}

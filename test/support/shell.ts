import { Readable } from "node:stream";
import type { Shell } from "../../src/cli/shell.ts";
import type { Environment } from "../../src/config/environment.ts";

/** Shell that keeps what a command prints. */
export interface TestShell extends Shell {
  readonly printed: string;
  readonly reported: string;
}

interface Surroundings {
  readonly input?: readonly string[];
  readonly environment?: Environment;
  /** Width of the terminal. Default: no terminal. */
  readonly columns?: number;
}

export function testShell({ input = [], environment = {}, columns }: Surroundings = {}): TestShell {
  let printed = "";
  let reported = "";
  return {
    environment,
    stdin: Readable.from(input),
    stdout: {
      ...(columns !== undefined && { isTTY: true, columns }),
      write(text) {
        printed += text;
      },
    },
    stderr: {
      write(text) {
        reported += text;
      },
    },
    onInterrupt: () => () => {},
    get printed() {
      return printed;
    },
    get reported() {
      return reported;
    },
  };
}

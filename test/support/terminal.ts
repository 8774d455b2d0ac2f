import { spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { findProgram, isMissing } from "./server-process.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;
const script = findProgram("script");

/** Whether script(1) is missing, which runs a program in a terminal. It prints that tests are skipped. */
export const hasNoTerminal = isMissing("script", script, "in Debian: bsdutils");

/** The program in a terminal. */
export interface Terminal {
  /** Resolves when the program has printed a text after the ones of earlier calls. Returns all up to its end. */
  shows(text: string): Promise<string>;
  /** Types keys. */
  type(keys: string): void;
  /** Resolves with the exit code and everything that was printed. */
  readonly ended: Promise<{ readonly status: number | null; readonly screen: string }>;
}

/** Runs the program in a terminal, until the end of the test. */
export function openTerminal(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Terminal {
  const command = [process.execPath, main, ...parameters].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const child = spawn(script ?? "script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { PATH: process.env.PATH, TERM: "xterm", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let screen = "";
  let shown = 0;
  let grown = Promise.withResolvers<void>();
  const grow = (): void => {
    grown.resolve();
    grown = Promise.withResolvers();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString();
    grow();
  });
  const ended = new Promise<{ status: number | null; screen: string }>((resolve) =>
    child.once("close", (status) => {
      resolve({ status, screen });
      grow();
    }),
  );
  return {
    ended,
    async shows(text) {
      for (;;) {
        const at = screen.indexOf(text, shown);
        if (at >= 0) {
          const before = screen.slice(shown, at);
          shown = at + text.length;
          return before;
        }
        if (child.exitCode !== null) throw new Error(`the program ended without ${JSON.stringify(text)}: ${screen}`);
        await grown.promise;
      }
    },
    type: (keys) => void child.stdin.write(keys),
  };
}

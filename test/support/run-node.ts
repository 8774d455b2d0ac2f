import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export interface NodeProcess {
  readonly child: ChildProcess;
  /** Resolves with the exit code and all output when the process has ended. Null: a signal ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Runs a script in a process of its own, which ends with the test. */
export function runNode(script: URL, parameters: readonly string[]): NodeProcess {
  const child = spawn(process.execPath, [script.pathname, ...parameters], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const output = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
  return { child, ended: output.then(([[code], stdout, stderr]) => ({ code, stdout, stderr })) };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The root of the project, where every command runs. */
const root = fileURLToPath(new URL("../../", import.meta.url));

/** A file that `.ci/interop-tools` installs or makes. */
export function installed(path: string): string {
  return `${root}.interop/${path}`;
}

/** Whether the client's tools are missing. Says so, because the tests that need them are skipped then. */
export function isMissing(client: string, path: string): boolean {
  const missing = !existsSync(path);
  if (missing) process.stdout.write(`skipped: ${client} is not installed; .ci/interop-tools installs it\n`);
  return missing;
}

/** A client under way. */
export interface Run {
  /** Its standard output as it comes. */
  readonly output: NonNullable<ChildProcess["stdout"]>;
  readonly ended: Promise<Ended>;
  /** Ends it as Ctrl-C would, with what it started. */
  interrupt(): void;
}

/** What a client left. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function start(command: string, args: readonly string[], environment: Record<string, string> = {}): Run {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text.stderr += chunk;
  });
  return {
    output: child.stdout,
    ended: once(child, "close").then(([code]) => ({ code, ...text })),
    interrupt() {
      // Detached, it leads a process group of its own: npm's launcher of buf does not pass a signal on.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
    },
  };
}

export function run(command: string, args: readonly string[], environment?: Record<string, string>): Promise<Ended> {
  return start(command, args, environment).ended;
}

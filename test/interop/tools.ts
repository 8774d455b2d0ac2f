import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Root of the project, the working directory of every command. */
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Path of a file that `.ci/interop-tools` installs or builds. */
export function installed(path: string): string {
  return `${root}.interop/${path}`;
}

/** Whether the tools of a client are missing. If so, prints that its tests are skipped. */
export function isMissing(client: string, path: string): boolean {
  const missing = !existsSync(path);
  if (missing) process.stdout.write(`skipped: ${client} is not installed; run .ci/interop-tools to install it\n`);
  return missing;
}

/** Running client process. */
export interface Run {
  /** Standard output stream. */
  readonly output: NonNullable<ChildProcess["stdout"]>;
  readonly ended: Promise<Ended>;
  /** Sends SIGINT to the client and its child processes, as Ctrl-C does. */
  interrupt(): void;
}

/** Exit code and output of a client. */
export interface Ended {
  /** Exit code. Null: a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Environment variables to set, or to unset if undefined. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to run a client. */
interface RunOptions {
  /** Working directory. Default: the root of the repository. */
  readonly cwd?: string;
  /** Standard input. Default: none. */
  readonly input?: string;
}

/** Starts a client. */
export function start(
  command: string,
  args: readonly string[],
  environment: Environment = {},
  { cwd = root, input }: RunOptions = {},
): Run {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.on("error", () => {}); // The client may end before it reads its input.
  child.stdin.end(input);
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
      // A detached process leads its own process group. Signal the group: npm's launcher of buf does not forward
      // signals.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
    },
  };
}

export function run(
  command: string,
  args: readonly string[],
  environment?: Environment,
  options?: RunOptions,
): Promise<Ended> {
  return start(command, args, environment, options).ended;
}

import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = new URL("../..", import.meta.url).pathname;
const main = `${root}src/main.ts`;

/** Variables of every program that a test starts. With compiled code from the cache, a start takes half the CPU time. */
export const programVariables = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: join(tmpdir(), "dragoman-tests-compile-cache"),
};

/** Dragoman as a separate process, on free loopback ports. */
export interface ServiceProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Lines that the program printed at startup. */
  readonly lines: readonly string[];
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Resolves with the exit code and the signal when the process has ended. */
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** JSON lines of the log so far. */
  readonly log: readonly Record<string, unknown>[];
  /** Lines of standard error after the startup lines. */
  readonly reports: readonly string[];
  /** Resolves with the first line of standard error after the startup lines that matches. */
  reported(pattern: RegExp): Promise<string>;
  /** Resolves when the log has a line with this message. */
  logged(message: string): Promise<void>;
  /** Resolves with the first line of the log that matches. */
  logLine(matches: (line: Readonly<Record<string, unknown>>) => boolean): Promise<Record<string, unknown>>;
}

/**
 * Starts the program and waits until it has printed the example calls.
 *
 * @param nodeOptions Options for Node.js.
 * @param stdout Where the log goes: `read` into `log`, `unread` into a socket, or into an open file.
 */
export function startProcess(
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
  stdout: "read" | "unread" | number = "read",
): Promise<ServiceProcess> {
  return startCommand([process.execPath, ...nodeOptions, main], { environment, stdout });
}

interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdout?: "read" | "unread" | number;
  /** Whether the command leads a process group, which ends with it. Default false. */
  readonly detached?: boolean;
  /** Whether the process has a channel for `child.send`. Default false. */
  readonly channel?: boolean;
}

/** Starts a command that runs the program, and waits until it has printed the example calls. */
export async function startCommand(
  [command = "", ...parameters]: readonly string[],
  { environment = {}, stdout = "read", detached = false, channel = false }: CommandOptions = {},
): Promise<ServiceProcess> {
  // npm and bin/dragoman need the folder of the project. Other processes keep their data in a folder of their own.
  const folder = command === process.execPath ? mkdtempSync(join(tmpdir(), "dragoman-process-")) : undefined;
  const child = spawn(command, parameters, {
    detached,
    cwd: folder ?? root,
    env: {
      ...programVariables,
      DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
      DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0",
      ...environment,
    },
    stdio: ["ignore", typeof stdout === "number" ? stdout : "pipe", "pipe", ...(channel ? (["ipc"] as const) : [])],
  });
  const log: Record<string, unknown>[] = [];
  const changes = new EventEmitter();
  if (stdout === "read" && child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      log.push(JSON.parse(line));
      changes.emit("change");
    });
  }
  // Unlike `exit`, `close` comes after the last byte of the output.
  const exited = once(child, "close").then(([code, signal]) => [code, signal] as const);
  const lines: string[] = [];
  const reports: string[] = [];
  const started = Promise.withResolvers<void>();
  if (child.stderr === null) throw new Error("standard error is a pipe");
  const errors = createInterface({ input: child.stderr }).on("close", started.resolve);
  let isStarted = false;
  errors.on("line", (line) => {
    (isStarted ? reports : lines).push(line);
    isStarted ||= line.startsWith("  curl");
    if (isStarted) started.resolve();
    changes.emit("change");
  });
  await started.promise;
  /** Looks again after each change, and fails when the process has ended without a result. */
  const find = async <T>(look: () => T | undefined, what: string): Promise<T> => {
    const ended = exited.then(() => "ended" as const);
    for (;;) {
      const change = once(changes, "change");
      const found = look();
      if (found !== undefined) return found;
      if ((await Promise.race([change, ended])) === "ended" && look() === undefined) throw new Error(`no ${what}`);
    }
  };
  return {
    child,
    lines,
    log,
    reports,
    exited,
    reported: (pattern) => find(() => reports.find((line) => pattern.test(line)), `report ${pattern}`),
    logged: (message) =>
      find(() => log.find(({ msg }) => msg === message) && null, `log line ${message}`).then(() => {}),
    logLine: (matches) => find(() => log.find(matches), "such a line of the log"),
    grpcAddress: lines[0]?.replace(/^gRPC +/, "") ?? "",
    httpAddress: lines[1]?.replace(/^HTTP +https?:\/\//, "") ?? "",
    async [Symbol.asyncDispose]() {
      if (detached && child.pid !== undefined) killGroup(child.pid);
      else child.kill("SIGKILL");
      await exited;
      if (folder !== undefined) rmSync(folder, { recursive: true });
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // No process of the group is left.
  }
}

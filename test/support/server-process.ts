import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** Server program on a loopback port that stays the same when it starts again. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Id of the running process. Undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Starts it again, with the data that it had. Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Asks it to end, and waits for that. Default signal: that of the program. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it with SIGKILL, its child processes too, and waits for that. */
  kill(): Promise<void>;
}

interface Program {
  readonly command: string;
  readonly parameters: (port: number) => readonly string[];
  /** Line of its output that says that it accepts connections. */
  readonly ready: RegExp;
  readonly stopSignal: NodeJS.Signals;
  /** User that the process runs as. Undefined: the user of this process. */
  readonly user?: number | undefined;
}

export async function startServer(program: Program): Promise<TestServer> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const endWithThisProcess = () => child?.kill("SIGKILL");
  process.once("exit", endWithThisProcess);

  async function start(): Promise<void> {
    child = spawn(program.command, program.parameters(port), {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
      ...(program.user !== undefined && { uid: program.user, gid: program.user }),
    });
    await untilReady(child, program.ready);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const exited = running.exitCode === null && running.signalCode === null ? once(running, "exit") : undefined;
    const children = signal === "SIGKILL" ? childrenOf(running.pid) : [];
    running.kill(signal);
    for (const pid of children) killIfAlive(pid);
    await exited;
  }

  await start();
  return {
    port,
    get pid() {
      return child?.pid;
    },
    start,
    stop: (signal = program.stopSignal) => end(signal),
    kill: () => end("SIGKILL"),
    async [Symbol.asyncDispose]() {
      process.off("exit", endWithThisProcess);
      await end("SIGKILL");
    },
  };
}

/** Reads all output, so that the program never blocks on it, and resolves at the first line that matches. */
async function untilReady(child: ChildProcess, ready: RegExp): Promise<void> {
  const started = Promise.withResolvers<void>();
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    if (output === null) continue;
    createInterface({ input: output }).on("line", (line) => {
      if (ready.test(line)) started.resolve();
      else if (lines.length < 50) lines.push(line);
    });
  }
  child.once("error", started.reject);
  child.once("exit", () => started.reject(new Error(`${child.spawnfile} ended:\n${lines.join("\n")}`)));
  await started.promise;
}

function childrenOf(pid: number | undefined): readonly number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  return existsSync(list) ? readFileSync(list, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await once(server.close(), "close");
  if (typeof address !== "object" || address === null) throw new Error("the operating system assigned no port");
  return address.port;
}

/** Returns the path of a program in one of these folders, or in PATH. Undefined if it is not installed. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const all = [...folders, ...(process.env.PATH ?? "").split(delimiter)];
  return all.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Returns whether a program is missing, and then prints that the tests that need it are skipped. */
export function isMissing(name: string, path: string | undefined, install: string): boolean {
  if (path === undefined) process.stderr.write(`skipped tests: ${name} is not installed (${install})\n`);
  return path === undefined;
}

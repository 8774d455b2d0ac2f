import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { cpuMicroseconds } from "./usage.ts";

/** A child process of this benchmark run. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly process: ChildProcess;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether to open an IPC channel to the child. Default false. */
  readonly channel?: boolean;
  /** Program to start. Default: `node`, the one that runs this process. */
  readonly program?: string;
}

/** Time from SIGTERM to SIGKILL in ms. */
const stopGraceMs = 5_000;

/** The child processes of one run. Each has its own log file. All are killed when this process exits. */
export class ProcessGroup {
  readonly #directory: string;
  readonly #children: Child[] = [];
  readonly #failure = Promise.withResolvers<never>();
  /** Children that were stopped before the others. */
  readonly #stopped = new Set<ChildProcess>();
  #stopping = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.#failure.promise.catch(() => {});
    process.on("exit", () => this.#kill("SIGKILL"));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
  }

  /** Starts `node` or another program with these arguments; its output goes to `<name>.log`. */
  start(name: string, args: readonly string[], options: ChildOptions = {}): Child {
    const output = openSync(join(this.#directory, `${name}.log`), "w");
    const child = spawn(options.program ?? process.execPath, args, {
      stdio: ["ignore", output, output, ...(options.channel ? (["ipc"] as const) : [])],
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
    });
    closeSync(output);
    if (child.pid === undefined) throw new Error(`${name} did not start`);
    const entry = { name, pid: child.pid, process: child };
    this.#children.push(entry);
    child.on("exit", (code, signal) => {
      if (this.#stopping || this.#stopped.has(child)) return;
      const log = join(this.#directory, `${name}.log`);
      this.#failure.reject(new Error(`${name} exited unexpectedly (${signal ?? `exit code ${code}`}): see ${log}`));
    });
    return entry;
  }

  /** CPU time that this process and its children have used so far, in µs. */
  cpuMicroseconds(): number {
    const running = this.#children.filter(({ process: child }) => !this.#stopped.has(child));
    return [process.pid, ...running.map(({ pid }) => pid)].reduce((sum, pid) => sum + cpuMicroseconds(pid), 0);
  }

  /** Waits for `work`. Rejects if a child exits first. */
  whileAlive<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure.promise]);
  }

  /** Sends SIGTERM to every child, and SIGKILL after 5 s to those that are still running. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ends = this.#children
      .filter(({ process: child }) => child.exitCode === null && child.signalCode === null)
      .map(({ process: child }) => once(child, "exit"));
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), stopGraceMs);
    await Promise.all(ends);
    clearTimeout(timer);
  }

  /** Sends SIGTERM to one child and waits for its end. */
  async stopOne({ process: child }: Child): Promise<void> {
    this.#stopped.add(child);
    const end = once(child, "exit");
    child.kill("SIGTERM");
    await end;
  }

  #kill(signal: NodeJS.Signals): void {
    this.#stopping = true;
    for (const { process: child } of this.#children) child.kill(signal);
  }
}

/** Waits for the port that a child sends with bench/announce.ts. */
export async function announcedPort({ process: child }: Child): Promise<number> {
  const [message] = await once(child, "message");
  return Number(message.port);
}

/** Finds a free port on 127.0.0.1. Another process may take it before the caller does. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("the operating system assigned no port");
  return address.port;
}

/** Waits until a GET of `url` returns 200. Throws after `timeoutMs`. */
export async function untilReady(url: string, timeoutMs = 15_000, pollMs = 50): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const status = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${url} was not ready within ${timeoutMs} ms`);
}

/** Waits until a server accepts connections on a port of 127.0.0.1. Throws after `timeoutMs`. */
export async function untilListening(port: number, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const socket = connect(port, "127.0.0.1");
    const accepted = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on 127.0.0.1:${port} after ${timeoutMs} ms`);
}

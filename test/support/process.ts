import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

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
}

/** Starts the program and waits until it has printed the example calls. `nodeOptions` are options for Node.js. */
export async function startProcess(
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [...nodeOptions, main], {
    env: {
      PATH: process.env.PATH,
      DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
      DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => log.push(JSON.parse(line)));
  // Unlike `exit`, `close` comes after the last byte of the output.
  const exited = once(child, "close").then(([code, signal]) => [code, signal] as const);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.startsWith("  curl")) break;
  }
  child.stderr.resume();
  return {
    child,
    lines,
    log,
    exited,
    grpcAddress: lines[0]?.replace(/^gRPC +/, "") ?? "",
    httpAddress: lines[1]?.replace(/^HTTP +https?:\/\//, "") ?? "",
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { cpuMicroseconds } from "../usage.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

interface Started {
  readonly workers: number;
  /** Path of its log. */
  readonly log: string;
}

/** Dragoman on a free port, with its workers. */
export class ServiceUnderTest {
  readonly grpcAddress: string;
  /** Path of its log. */
  readonly log: string;
  readonly workers: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, grpcAddress: string, { workers, log }: Started) {
    this.#child = child;
    this.grpcAddress = grpcAddress;
    this.workers = workers;
    this.log = log;
  }

  static async start({ file, ...started }: Started & { readonly file: string }): Promise<ServiceUnderTest> {
    const output = openSync(started.log, "w");
    const addresses = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
    const child = spawn(process.execPath, [main, "--config", file], {
      env: { PATH: process.env.PATH, ...addresses },
      stdio: ["ignore", output, "pipe"],
    });
    closeSync(output);
    if (child.stderr === null) throw new Error("standard error is a pipe");
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      lines.push(line);
      if (line.startsWith("  curl")) break;
    }
    const address = /^gRPC +(\S+)$/.exec(lines[0] ?? "")?.[1];
    if (address === undefined) throw new Error(`the service did not start:\n${lines.join("\n")}`);
    return new ServiceUnderTest(child, address, started);
  }

  /** Returns the CPU time of the process and its workers, in µs. */
  cpuMicroseconds(): number {
    return [this.#child.pid ?? 0, ...this.#workers()].reduce((sum, pid) => sum + cpuMicroseconds(pid), 0);
  }

  /** Returns the CPU time of the process alone, in µs. */
  ownMicroseconds(): number {
    return cpuMicroseconds(this.#child.pid ?? 0);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #workers(): readonly number[] {
    const { pid } = this.#child;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  }
}

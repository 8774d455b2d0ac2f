import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { installed } from "../interop/tools.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A folder with the files of the clone, in which a test runs the commands of a page in order, as a reader does. */
interface Playground extends AsyncDisposable {
  /** Runs a block. A block that ends with `npm start` starts the service, and ends the one before. */
  play(block: string): Promise<{ readonly code: number | null; readonly output: string }>;
}

interface Service {
  readonly child: ChildProcess;
  readonly grpcAddress: string;
  readonly httpAddress: string;
}

export async function startPlayground(): Promise<Playground> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-playground-"));
  // Files that commands write, such as data/, stay in the folder.
  const own = new Set([".git", "data"]);
  for (const name of readdirSync(root)) if (!own.has(name)) symlinkSync(join(root, name), join(folder, name));
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|DRAGOMAN_|NODE_OPTIONS|VITEST)/.test(name));
  const environment = {
    ...Object.fromEntries(inherited),
    PATH: `${installed("bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
    DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
    DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0",
  };
  let service: Service | undefined;

  function startShell(script: string, more: Readonly<Record<string, string>> = {}): ChildProcess {
    const env = { ...environment, ...more };
    return spawn("bash", ["-c", script], { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function startService(script: string): Promise<Service> {
    const child = startShell(script);
    if (child.stderr === null) throw new Error("standard error is a pipe");
    child.stdout?.resume();
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      lines.push(line);
      if (line.startsWith("  curl")) break;
    }
    child.stderr.resume();
    const addressOf = (pattern: RegExp) => {
      const [address] = lines.flatMap((line) => pattern.exec(line)?.slice(1) ?? []);
      if (address === undefined) throw new Error(`the service did not start:\n${lines.join("\n")}`);
      return address;
    };
    return { child, grpcAddress: addressOf(/^gRPC +(\S+)/), httpAddress: addressOf(/^HTTP +https?:\/\/(\S+)/) };
  }

  async function stopService(): Promise<void> {
    if (service?.child.pid === undefined) return;
    const closed = once(service.child, "close");
    process.kill(-service.child.pid, "SIGKILL");
    await closed;
    service = undefined;
  }

  return {
    async play(block) {
      if (/npm start\b.*\n$/.test(block)) {
        await stopService();
        service = await startService(block);
        return { code: 0, output: "" };
      }
      const { grpcAddress = "", httpAddress = "" } = service ?? {};
      const script = block.replaceAll("127.0.0.1:50051", grpcAddress).replaceAll("127.0.0.1:8080", httpAddress);
      // One stream, so that errors are between the lines that came before and after them.
      const child = startShell(`exec 2>&1\n${script}`, { DRAGOMAN_ADDRESS: grpcAddress });
      let output = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      const [code] = await once(child, "close");
      return { code, output };
    },
    async [Symbol.asyncDispose]() {
      await stopService();
      rmSync(folder, { recursive: true });
    },
  };
}

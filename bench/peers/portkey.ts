import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Server } from "../bench.ts";
import { freePort, type ProcessGroup, untilReady } from "../processes.ts";

/** Portkey's open-source gateway, which is also written in TypeScript. */
const manifest = {
  private: true,
  dependencies: { "@portkey-ai/gateway": "1.15.2" },
  overrides: { "@hono/node-server": "1.13.8" },
} as const;

export const portkeyNote =
  "Portkey 1.15.2 runs with @hono/node-server pinned to 1.13.8, because it cannot stream on current Node with its " +
  "default version. It is restricted to 127.0.0.1, because it listens on every interface by default.";

async function install(directory: string): Promise<string> {
  const entry = join(directory, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(entry)) return entry;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest, null, 2));
  const flags = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
  await promisify(execFile)("npm", flags, { cwd: directory });
  return entry;
}

/** Throws if a socket listens on the port at another address than 127.0.0.1. Checks nothing without /proc. */
function assertLoopback(port: number): void {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const listening = "0A";
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"].filter(existsSync)) {
    for (const line of readFileSync(table, "latin1").split("\n").slice(1)) {
      const [, local = "", , state] = line.trim().split(/\s+/);
      if (state !== listening || !local.endsWith(suffix)) continue;
      if (local !== `0100007F${suffix}`) throw new Error(`portkey listens on ${local} of ${table}, not on 127.0.0.1`);
    }
  }
}

/** Starts Portkey's gateway. Installs it into the folder on first use. */
export async function startPortkeyProcess(processes: ProcessGroup, directory: string) {
  const entry = await install(directory);
  const port = await freePort();
  const preload = new URL("./listen-on-loopback.ts", import.meta.url).href;
  const child = processes.start("portkey", ["--import", preload, entry, "--headless", `--port=${port}`], {
    env: { NODE_ENV: "production" },
    cwd: directory,
  });
  const url = `http://127.0.0.1:${port}`;
  await processes.whileAlive(untilReady(url, 60_000));
  assertLoopback(port);
  return { pid: child.pid, url, version: manifest.dependencies["@portkey-ai/gateway"] };
}

export async function startPortkey(processes: ProcessGroup, directory: string, upstream: string): Promise<Server> {
  const { pid, url } = await startPortkeyProcess(processes, directory);
  const headers = { "x-portkey-provider": "openai", "x-portkey-custom-host": upstream };
  return {
    name: "Portkey",
    pid,
    target: { protocol: "http", url: `${url}/v1/chat/completions`, headers },
  };
}

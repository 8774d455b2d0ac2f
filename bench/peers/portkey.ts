import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Bench, Cost, Server } from "../bench.ts";
import { freePort, type ProcessGroup, untilReady } from "../processes.ts";
import { atLeast, type Figure, type Section, versus } from "../report.ts";
import { quantile } from "../statistics.ts";

/** Portkey's open-source gateway: the rival written in TypeScript. */
const manifest = {
  private: true,
  dependencies: { "@portkey-ai/gateway": "1.15.2" },
  overrides: { "@hono/node-server": "1.13.8" },
} as const;

export const portkeyNote =
  "Portkey 1.15.2 runs with @hono/node-server pinned to 1.13.8, since it cannot stream on current Node with the " +
  "version that it would take by itself, and is held to 127.0.0.1, since it listens on every interface otherwise.";

async function install(directory: string): Promise<string> {
  const entry = join(directory, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(entry)) return entry;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest, null, 2));
  const flags = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
  await promisify(execFile)("npm", flags, { cwd: directory });
  return entry;
}

/** Throws unless every socket that listens on the port is on 127.0.0.1. Linux only: elsewhere nothing is checked. */
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

export async function startPortkey(processes: ProcessGroup, directory: string, upstream: string): Promise<Server> {
  const entry = await install(directory);
  const port = await freePort();
  const preload = new URL("./listen-on-loopback.ts", import.meta.url).href;
  const child = processes.start("portkey", ["--import", preload, entry, "--headless", `--port=${port}`], {
    env: { NODE_ENV: "production" },
    cwd: directory,
  });
  const url = `http://127.0.0.1:${port}`;
  await processes.whileAlive(untilReady(url));
  assertLoopback(port);
  const headers = { "x-portkey-provider": "openai", "x-portkey-custom-host": upstream };
  return {
    name: "Portkey",
    pid: child.pid,
    target: { protocol: "http", url: `${url}/v1/chat/completions`, headers },
  };
}

/** The service and Portkey before the same upstream, in turn. */
export async function measurePortkey(bench: Bench, portkey: Server): Promise<Section> {
  const { rounds, roundMs, warmUpMs, samples } = bench.scale;
  const concurrency = 64;
  const ask = { model: "bench-16" };
  await bench.cost(portkey, { concurrency, durationMs: warmUpMs, ask });
  const ours: Cost[] = [];
  const theirs: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await bench.cost(bench.service, { concurrency, durationMs: roundMs, ask }));
    theirs.push(await bench.cost(portkey, { concurrency, durationMs: roundMs, ask }));
  }
  const both = (field: keyof Cost) => [ours.map((cost) => cost[field]), theirs.map((cost) => cost[field])] as const;
  const stream = { model: "bench-16-apart", stream: { keepProviderDeltas: false } };
  const targets = [bench.service.target, portkey.target];
  // Portkey sleeps 25 ms before the first chunk of a stream, so that many samples would take long.
  const times = await bench.run({ kind: "latency", targets, samples: Math.min(samples, 200), ask: stream });
  const first = (q: number) => {
    const [service = [], rival = []] = times.map((samples) => [quantile(samples, q)]);
    return versus(`time to first delta, one at a time, p${q * 100}`, "ms", "ratio", service, rival);
  };
  const figures: Figure[] = [
    versus(`unary throughput, ${concurrency} at once`, "calls/s", "ratio", ...both("callsPerSecond"), atLeast(8)),
    versus(`CPU of a unary call, ${concurrency} at once`, "µs", "ratio", ...both("microsecondsPerCall")),
    first(0.5),
    first(0.99),
  ];
  return { title: "Portkey's gateway over HTTP", against: "Portkey", comparison: "ratio", figures };
}

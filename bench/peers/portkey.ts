import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Bench, Cost, Server } from "../bench.ts";
import type { Ask } from "../load/jobs.ts";
import { freePort, type ProcessGroup, untilReady } from "../processes.ts";
import { atLeast, type Budget, type Figure, type Section, versus } from "../report.ts";
import { quantile } from "../statistics.ts";

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

const concurrency = 64;
const deltas = 64;

interface Compared {
  readonly what: string;
  readonly ask: Ask;
  readonly throughput?: Budget;
}

const compared: readonly Compared[] = [
  { what: "unary call", ask: { model: "bench-16" }, throughput: atLeast(8) },
  // Without coalescing, because Portkey does not coalesce deltas. With it, the default, the service would cost less.
  {
    what: `stream of ${deltas} deltas in separate writes`,
    ask: { model: `bench-${deltas}-apart`, stream: { keepProviderDeltas: true } },
  },
];

/** Compares throughput and CPU time of one kind of call, alternating between the two servers. */
async function compareCosts(bench: Bench, portkey: Server, { what, ask, throughput }: Compared): Promise<Figure[]> {
  const { rounds, roundMs, warmUpMs } = bench.scale;
  const costs = { ours: [] as Cost[], theirs: [] as Cost[] };
  await bench.cost(bench.service, { concurrency, durationMs: warmUpMs, ask });
  await bench.cost(portkey, { concurrency, durationMs: warmUpMs, ask });
  for (let round = 0; round < rounds; round++) {
    costs.ours.push(await bench.cost(bench.service, { concurrency, durationMs: roundMs, ask }));
    costs.theirs.push(await bench.cost(portkey, { concurrency, durationMs: roundMs, ask }));
  }
  const wrong = costs.ours.find(({ messagesPerCall }) => ask.stream !== undefined && messagesPerCall !== deltas);
  if (wrong) bench.problems.push(`service, ${ask.model}: ${wrong.messagesPerCall} messages instead of ${deltas}`);
  const both = (field: keyof Cost) =>
    [costs.ours.map((cost) => cost[field]), costs.theirs.map((cost) => cost[field])] as const;
  const which = `${what}, ${concurrency} concurrent`;
  return [
    versus(`throughput, ${which}`, "calls/s", "ratio", ...both("callsPerSecond"), throughput),
    versus(`CPU per ${which}`, "µs", "ratio", ...both("microsecondsPerCall")),
  ];
}

/** Compares the time to the first delta in ms, alternating between the two servers. */
async function compareFirstDelta(bench: Bench, portkey: Server): Promise<Figure[]> {
  const ask = { model: "bench-16-apart", stream: { keepProviderDeltas: false } };
  const targets = [bench.service.target, portkey.target];
  // Portkey sleeps 25 ms before the first chunk of a stream, so many samples would take too long.
  const samples = Math.min(bench.scale.samples, 200);
  const times = await bench.run({ kind: "latency", targets, samples, ask });
  return [0.5, 0.99].map((q) => {
    const [service = [], rival = []] = times.map((measured) => [quantile(measured, q)]);
    return versus(`time to first delta, one call at a time, p${q * 100}`, "ms", "ratio", service, rival);
  });
}

/** Compares the service over gRPC with Portkey over HTTP. Both call the same upstream. */
export async function measurePortkey(bench: Bench, portkey: Server): Promise<Section> {
  const figures: Figure[] = [];
  for (const kind of compared) figures.push(...(await compareCosts(bench, portkey, kind)));
  figures.push(...(await compareFirstDelta(bench, portkey)));
  return { title: "Portkey's gateway over HTTP", against: "Portkey", comparison: "ratio", figures };
}

/**
 * `npm run bench`: measures what a call costs, relative to bare grpc-js and to direct upstream calls in the same run.
 *
 *   --quick          takes about a minute; less precise
 *   --only a,b       runs only the named measurements: unary, streams, latency, idle, paced, stalled
 *   --http2          measures only HTTP/2 to the provider, relative to HTTP/1.1 to the same upstream with TLS
 *   --peer portkey   also measures Portkey's gateway (installed into .bench/ on first use)
 *   --profile        writes a CPU profile of the service to the results folder
 *
 * Figures are printed and saved in bench/results/. A missed budget does not change the exit code, which stays 0.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { issueCertificate } from "../test/support/certificates.ts";
import { Bench, type Scale, type Server } from "./bench.ts";
import { measureHttp2 } from "./measures/http2.ts";
import { measureIdle } from "./measures/idle.ts";
import { measureLatency } from "./measures/latency.ts";
import { measurePaced } from "./measures/paced.ts";
import { measureStalled } from "./measures/stalled.ts";
import { measureStreams } from "./measures/streams.ts";
import { measureUnary } from "./measures/unary.ts";
import { measurePortkey, portkeyNote, startPortkey } from "./peers/portkey.ts";
import { announcedPort, freePort, ProcessGroup, untilReady } from "./processes.ts";
import { describeMachine, formatSection, isWithinBudget, type Section } from "./report.ts";
import { machineMicroseconds, memory, usageSource } from "./usage.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const scales = {
  full: { rounds: 5, roundMs: 1300, warmUpMs: 3000, samples: 500, pacedSeconds: 10, settleMs: 8000, idleMs: 30_000 },
  quick: { rounds: 3, roundMs: 250, warmUpMs: 1200, samples: 350, pacedSeconds: 3, settleMs: 1000, idleMs: 12_000 },
} as const satisfies Record<string, Scale>;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    only: { type: "string" },
    http2: { type: "boolean" },
    peer: { type: "string" },
    profile: { type: "boolean" },
  },
});

const date = new Date().toISOString();
const results = join(root, "bench/results");
const output = join(results, date.replaceAll(":", "-").replace(/\..*/, ""));
mkdirSync(output, { recursive: true });
const processes = new ProcessGroup(output);

async function startService(environment: Readonly<Record<string, string>>, name = "service"): Promise<Server> {
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const profiling = options.profile ? ["--cpu-prof", `--cpu-prof-dir=${output}`] : [];
  const child = processes.start(name, [...profiling, join(root, "src/main.ts")], {
    env: {
      ...environment,
      DRAGOMAN_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`,
      DRAGOMAN_HTTP_ADDRESS: `127.0.0.1:${httpPort}`,
    },
    cwd: output,
  });
  await processes.whileAlive(untilReady(`http://127.0.0.1:${httpPort}/readyz`));
  return { name, pid: child.pid, target: { protocol: "grpc", port: grpcPort } };
}

async function start(name: string, file: string, env = {}) {
  const child = processes.start(name, [join(root, "bench", file)], { channel: true, env });
  return { child, port: await processes.whileAlive(announcedPort(child)) };
}

/** Starts an upstream with TLS, and two services that use it with HTTP/2 and with HTTP/1.1. */
async function startHttp2() {
  issueCertificate(output, "tls");
  const [certificate, key] = [join(output, "tls.crt"), join(output, "tls.key")];
  const { port } = await start("tls-upstream", "upstream.ts", { BENCH_CERTIFICATE: certificate, BENCH_KEY: key });
  const environment = {
    OPENAI_BASE_URL: `https://127.0.0.1:${port}/v1`,
    OPENAI_API_KEY: "bench",
    NODE_EXTRA_CA_CERTS: certificate,
  };
  const file = join(output, "http2.yaml");
  writeFileSync(file, "providers: { openai: { http2: on } }\n");
  return {
    http2: await startService({ ...environment, DRAGOMAN_CONFIG: file }, "service-http2"),
    http1: await startService(environment, "service-http1"),
  };
}

async function startAll(): Promise<{ readonly bench: Bench; readonly upstream: string }> {
  const upstream = `http://127.0.0.1:${(await start("upstream", "upstream.ts")).port}/v1`;
  const environment = { OPENAI_BASE_URL: upstream, OPENAI_API_KEY: "bench" };
  const { child, port } = await start("bare-forwarder", "bare-forwarder.ts", environment);
  const bare: Server = { name: "bare grpc-js", pid: child.pid, target: { protocol: "grpc", port } };
  const direct = { protocol: "http", url: `${upstream}/chat/completions`, headers: {} } as const;
  const load = await start("load", "load/main.ts");
  const service = await startService(environment);
  const scale = options.quick ? scales.quick : scales.full;
  return { bench: new Bench({ service, bare, direct }, load.child, processes, scale), upstream };
}

/** Runs the selected measurements and prints each one when it is done. */
async function measureAll(bench: Bench, upstream: string): Promise<readonly Section[]> {
  const idleMiB = memory(bench.service.pid).residentMiB;
  const measures: Readonly<Record<string, () => Promise<Section>>> = {
    unary: () => measureUnary(bench),
    streams: () => measureStreams(bench),
    latency: () => measureLatency(bench),
    idle: () => measureIdle(bench),
    paced: () => measurePaced(bench, idleMiB),
    stalled: () => measureStalled(bench, upstream),
    http2: async () => measureHttp2(bench, await startHttp2()),
    portkey: async () => {
      console.log(portkeyNote);
      return measurePortkey(bench, await startPortkey(processes, join(root, ".bench/portkey"), upstream));
    },
  };
  const usual = Object.keys(measures).filter((name) => name !== "portkey" && name !== "http2");
  const selected = options.only?.split(",") ?? (options.http2 ? ["http2"] : usual);
  const sections: Section[] = [];
  for (const name of [...selected, ...(options.peer === undefined ? [] : [options.peer])]) {
    const measure = measures[name];
    if (measure === undefined)
      throw new Error(`unknown measurement "${name}": use one of ${Object.keys(measures).join(", ")}`);
    const section = await measure();
    sections.push(section);
    console.log(formatSection(section));
  }
  return sections;
}

/** Returns a function that returns the share of this machine's CPU that other processes have used since, in percent. */
function watchOthers(): () => number {
  const others = () => machineMicroseconds() - processes.cpuMicroseconds();
  const begin = { others: others(), time: performance.now() };
  return () => (others() - begin.others) / (performance.now() - begin.time) / 10 / availableParallelism();
}

try {
  const { bench, upstream } = await startAll();
  const machine = describeMachine();
  console.log(`${machine.processors} × ${machine.processor}, Node ${machine.node}`);
  console.log(`CPU and memory are read from ${usageSource}. Figures are medians; the range is over the rounds.\n`);
  const otherShare = watchOthers();
  const sections = await measureAll(bench, upstream);
  const otherWork = Math.round(otherShare());
  if (otherWork >= 10) {
    console.log(
      `Other processes used ${otherWork} % of this machine's CPU: times are longer and ratios are less precise.`,
    );
  }
  for (const problem of bench.problems) console.log(`PROBLEM: ${problem}`);
  const marked = sections.map(({ figures, ...section }) => ({
    ...section,
    figures: figures.map((figure) => ({ ...figure, ok: isWithinBudget(figure) })),
  }));
  const missed = marked.flatMap(({ figures }) => figures).filter(({ ok }) => ok === false);
  console.log(missed.length === 0 ? "All figures are within budget." : `${missed.length} figures missed their budget.`);
  const { scale, problems } = bench;
  const report = { date, machine, usageSource, otherWork, options, scale, problems, sections: marked };
  writeFileSync(`${output}.json`, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`Report: ${output}.json. Process logs: ${output}/.`);
} finally {
  await processes.stop();
}

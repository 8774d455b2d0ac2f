/**
 * `npm run bench`: measures the service with everything on (bench/service.yaml), relative to other servers in the same
 * run: a bare grpc-js forwarder, a minimal gateway in grpc-go (if Go is there), Portkey, and LiteLLM (if Python is).
 *
 *   --quick          takes about three minutes; less precise
 *   --only a,b       runs only the named measurements: costs, latency, streams, start, paced, stalled, open
 *   --peers a,b      compares only with these: bare, go, portkey, litellm. Portkey, LiteLLM and the code in Go are
 *                    installed into .bench/ on first use
 *   --parts          measures only what keys, limits, ledger and log add to a call
 *   --profile        profiles only: CPU time by package, room and function
 *   --http2          measures only HTTP/2 to the provider, relative to HTTP/1.1 to the same upstream with TLS
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
import { measureCosts, type Peer, peers } from "./measures/costs.ts";
import { measureHttp2 } from "./measures/http2.ts";
import { measureLatency } from "./measures/latency.ts";
import { measureOpenStreams } from "./measures/open-streams.ts";
import { measurePaced } from "./measures/paced.ts";
import { measureParts } from "./measures/parts.ts";
import { measureProfile } from "./measures/profile.ts";
import { measureStalled } from "./measures/stalled.ts";
import { measureStart } from "./measures/start.ts";
import { measureStreams } from "./measures/streams.ts";
import { startGo } from "./peers/go.ts";
import { startLitellm } from "./peers/litellm.ts";
import { portkeyNote, startPortkey } from "./peers/portkey.ts";
import { announcedPort, ProcessGroup } from "./processes.ts";
import { describeMachine, formatSection, isWithinBudget, type Section } from "./report.ts";
import { Services } from "./services.ts";
import { machineMicroseconds, memory, usageSource } from "./usage.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const usual = { rounds: 5, roundMs: 1300, warmUpMs: 3000, samples: 500, pacedSeconds: 10, settleMs: 8000 };
const brief = { rounds: 3, roundMs: 400, warmUpMs: 1200, samples: 350, pacedSeconds: 3, settleMs: 1000 };
const scales = {
  full: { ...usual, idleMs: 30_000, idleRounds: 3 },
  quick: { ...brief, idleMs: 12_000, idleRounds: 1 },
} as const satisfies Record<string, Scale>;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    only: { type: "string" },
    peers: { type: "string" },
    parts: { type: "boolean" },
    profile: { type: "boolean" },
    http2: { type: "boolean" },
  },
});

const date = new Date().toISOString();
const results = join(root, "bench/results");
const output = join(results, date.replaceAll(":", "-").replace(/\..*/, ""));
mkdirSync(output, { recursive: true });
const processes = new ProcessGroup(output);
const services = new Services(root, output, processes);

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
  const { configuration } = services;
  const http2 = `${configuration}providers: { openai: { http2: on } }\n`;
  return {
    http2: await services.start({ name: "service-http2", environment, configuration: http2 }),
    http1: await services.start({ name: "service-http1", environment, configuration }),
  };
}

async function startAll() {
  const upstream = `http://127.0.0.1:${(await start("upstream", "upstream.ts")).port}/v1`;
  const environment = { OPENAI_BASE_URL: upstream, OPENAI_API_KEY: "bench" };
  const { child, port } = await start("bare-forwarder", "bare-forwarder.ts", environment);
  const bare: Server = { name: "bare forwarder", pid: child.pid, target: { protocol: "grpc", port } };
  const direct = { protocol: "http", url: `${upstream}/chat/completions`, headers: {} } as const;
  const load = await start("load", "load/main.ts");
  const { configuration } = services;
  const service = await services.start({ name: "service", environment, configuration, isProbed: true });
  const scale = options.quick ? scales.quick : scales.full;
  return { bench: new Bench({ service, bare, direct }, load.child, processes, scale), upstream, environment };
}

type All = Awaited<ReturnType<typeof startAll>>;

/** Starts the servers to compare with. Prints which of them this machine cannot run. */
async function startPeers({ bench, upstream }: All): Promise<readonly Peer[]> {
  const starts: Readonly<Record<keyof typeof peers, () => Promise<Server | undefined>>> = {
    bare: async () => bench.bare,
    go: () => startGo(processes, root, upstream),
    portkey: () => startPortkey(processes, join(root, ".bench/portkey"), upstream),
    litellm: () => startLitellm(processes, root, upstream, output),
  };
  const names = (options.peers?.split(",") ?? Object.keys(starts)) as (keyof typeof peers)[];
  const started: Peer[] = [];
  for (const name of names) {
    const server = await starts[name]?.();
    if (server === undefined) console.log(`${name}: this machine lacks what it needs`);
    else started.push({ ...peers[name], server });
  }
  if (names.includes("portkey")) console.log(portkeyNote);
  return started;
}

/** Runs the selected measurements and prints each one when it is done. */
async function measureAll(all: All): Promise<readonly Section[]> {
  const { bench, upstream, environment } = all;
  const idleMiB = memory(bench.service.pid).residentMiB;
  const { configuration } = services;
  const measures: Readonly<Record<string, () => Promise<Section>>> = {
    start: () => measureStart(bench, () => services.start({ name: "start", environment, configuration })),
    latency: () => measureLatency(bench),
    streams: () => measureStreams(bench),
    paced: () => measurePaced(bench, idleMiB),
    stalled: () => measureStalled(bench, upstream),
    open: () => measureOpenStreams(bench, (file) => services.start({ name: "open", environment, configuration: file })),
    costs: async () => measureCosts(bench, await startPeers(all)),
    http2: async () => measureHttp2(bench, await startHttp2()),
    parts: async () => measureParts(bench, await services.startWithoutParts(environment)),
  };
  const single = (["http2", "parts"] as const).filter((name) => options[name]);
  const selected = options.only?.split(",") ?? single;
  const names = Object.keys(measures).filter((name) => name !== "http2" && name !== "parts");
  const sections: Section[] = [];
  for (const name of selected.length > 0 ? selected : names) {
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
  const all = await startAll();
  const { bench } = all;
  const machine = describeMachine();
  console.log(`${machine.processors} × ${machine.processor}, Node ${machine.node}`);
  console.log(`CPU and memory are read from ${usageSource}. Figures are medians; the range is over the rounds.`);
  console.log(`Configuration of the service:\n\n${services.configuration}`);
  if (options.profile) {
    console.log(await measureProfile(bench, output));
  } else {
    const otherShare = watchOthers();
    const sections = await measureAll(all);
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
    console.log(
      missed.length === 0 ? "All figures are within budget." : `${missed.length} figures missed their budget.`,
    );
    const { scale, problems } = bench;
    const report = { date, machine, usageSource, otherWork, options, scale, problems, sections: marked };
    writeFileSync(`${output}.json`, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`Report: ${output}.json. Process logs: ${output}/.`);
  }
} finally {
  await processes.stop();
}

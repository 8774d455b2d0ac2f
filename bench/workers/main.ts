import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scriptEcho } from "../../test/support/requests.ts";
import { GrpcEchoCaller } from "./caller.ts";
import { ServiceUnderTest } from "./service.ts";

/**
 * `npm run bench -- --workers`: CPU time of all processes of the service per call, with the same calls in flight, for one
 * process, two separate processes, and two workers, in one run, and how 40 connections spread over the workers. The
 * calls ask the provider `echo`. A process with half of the calls in flight does more for each: what workers cost is
 * their ratio to separate processes.
 */
const connections = 40;
const concurrency = 32;
const isQuick = process.argv.includes("--quick");
const [rounds, roundCalls, warmUpCalls] = isQuick ? [3, 4_000, 3_000] : [6, 10_000, 10_000];

const folder = mkdtempSync(join(tmpdir(), "dragoman-bench-workers-"));
const chat = scriptEcho({ text: "word ".repeat(16) });

interface System {
  readonly name: string;
  /** Programs that share the calls. */
  readonly programs: readonly ServiceUnderTest[];
  /** Processes that serve calls. */
  readonly servers: number;
  readonly costs: number[];
  readonly supervisor: number[];
  readonly rates: number[];
}

async function start(name: string, programs: number, workers: number): Promise<System> {
  const started: ServiceUnderTest[] = [];
  for (let index = 0; index < programs; index++) {
    const own = join(folder, `${name}-${index}`.replaceAll(" ", "-"));
    const store = `{ database: "sqlite:${own}.db", outbox: ${own}-outbox }`;
    writeFileSync(`${own}.yaml`, `{ workers: ${workers}, providers: { local: { enabled: false } }, store: ${store} }`);
    started.push(await ServiceUnderTest.start({ file: `${own}.yaml`, workers, log: `${own}.log` }));
  }
  return { name, programs: started, servers: programs * workers, costs: [], supervisor: [], rates: [] };
}

/** Sends calls to all programs of a system at once, each with its share. */
async function run({ programs, servers, costs, supervisor, rates }: System, isWarmUp: boolean): Promise<void> {
  // New connections in each round, since each stays with its worker.
  const callers = programs.map(
    ({ grpcAddress }) => new GrpcEchoCaller(grpcAddress, connections / programs.length, chat),
  );
  await Promise.all(callers.map((caller) => caller.warmUp()));
  const sum = (read: (program: ServiceUnderTest) => number) => programs.reduce((all, one) => all + read(one), 0);
  const all = () => sum((program) => program.cpuMicroseconds());
  const own = () => sum((program) => program.ownMicroseconds());
  const [allBefore, ownBefore, beginMs] = [all(), own(), performance.now()];
  // Each process is as warm as the others.
  const calls = isWarmUp ? warmUpCalls * servers : roundCalls;
  await Promise.all(callers.map((caller) => caller.run(calls / programs.length, concurrency / programs.length)));
  if (!isWarmUp) {
    costs.push((all() - allBefore) / calls);
    supervisor.push((own() - ownBefore) / calls);
    rates.push((calls * 1000) / (performance.now() - beginMs));
  }
  for (const caller of callers) caller.close();
}

/** Returns the calls of each worker, from the log. */
function callsByWorker(log: string): readonly number[] {
  const counts = new Map<number, number>();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const { msg, worker = 0 } = line === "" ? {} : (JSON.parse(line) as { msg?: string; worker?: number });
    if (msg === "call") counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  return [...counts.values()];
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const systems: System[] = [];
try {
  const one = await start("one process", 1, 1);
  systems.push(one);
  const separate = await start("two processes", 2, 1);
  systems.push(separate);
  const workers = await start("two workers", 1, 2);
  systems.push(workers);
  for (let round = 0; round <= rounds; round++) for (const system of systems) await run(system, round === 0);
  await Promise.all(systems.flatMap(({ programs }) => programs.map((program) => program.stop())));
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`CPU per call, ${concurrency} calls in flight`);
  for (const { name, costs, rates } of systems) {
    print(`${name.padEnd(24)}${median(costs).toFixed(0)} µs  (${median(rates).toFixed(0)} calls/s)`);
  }
  print(`of which the supervisor ${median(workers.supervisor).toFixed(0)} µs`);
  // Of the same round, so that other load of the machine concerns both.
  const ratios = workers.costs.map((cost, index) => cost / (separate.costs[index] ?? Number.NaN));
  print(`workers / processes     ${median(ratios).toFixed(2)}`);
  const spread = callsByWorker(workers.programs[0]?.log ?? "");
  const total = spread.reduce((sum, calls) => sum + calls, 0);
  const most = (Math.max(...spread) * spread.length) / total - 1;
  print(`calls by worker         ${spread.join(" : ")}, at most ${(most * 100).toFixed(0)} % above the mean`);
} finally {
  for (const { programs } of systems) for (const program of programs) program.kill();
  rmSync(folder, { recursive: true, force: true });
}

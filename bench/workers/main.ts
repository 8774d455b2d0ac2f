import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scriptEcho } from "../../test/support/requests.ts";
import { GrpcEchoCaller } from "./caller.ts";
import { ServiceUnderTest } from "./service.ts";

/**
 * `npm run bench -- --workers`: CPU time of all processes of the service per call, with one process and with two
 * workers, in one run, and how 40 connections spread over the workers. The calls ask the provider `echo`.
 */
const connections = 40;
const concurrency = 32;
const isQuick = process.argv.includes("--quick");
const [rounds, roundCalls, warmUpCalls] = isQuick ? [2, 2_000, 2_000] : [4, 5_000, 10_000];

const folder = mkdtempSync(join(tmpdir(), "dragoman-bench-workers-"));
const chat = scriptEcho({ text: "word ".repeat(16) });

function start(workers: number): Promise<ServiceUnderTest> {
  const file = join(folder, `workers-${workers}.yaml`);
  const store = `{ database: "sqlite:${join(folder, `${workers}.db`)}", outbox: ${join(folder, `outbox-${workers}`)} }`;
  writeFileSync(file, `{ workers: ${workers}, providers: { local: { enabled: false } }, store: ${store} }`);
  return ServiceUnderTest.start({ file, workers, log: join(folder, `workers-${workers}.log`) });
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

const services = [await start(1), await start(2)];
try {
  const measured = services.map((service) => ({
    service,
    costs: [] as number[],
    supervisor: [] as number[],
    rates: [] as number[],
  }));
  for (let round = 0; round <= rounds; round++) {
    for (const { service, costs, supervisor, rates } of measured) {
      // New connections in each round, since each stays with its worker.
      const caller = new GrpcEchoCaller(service.grpcAddress, connections, chat);
      await caller.warmUp();
      const [cpu, ownCpu, beginMs] = [service.cpuMicroseconds(), service.ownMicroseconds(), performance.now()];
      // Each process is as warm as the others.
      const calls = round === 0 ? warmUpCalls * service.workers : roundCalls;
      await caller.run(calls, concurrency);
      if (round > 0) {
        costs.push((service.cpuMicroseconds() - cpu) / calls);
        supervisor.push((service.ownMicroseconds() - ownCpu) / calls);
        rates.push((calls * 1000) / (performance.now() - beginMs));
      }
      caller.close();
    }
  }
  await Promise.all(services.map((service) => service.stop()));
  const [one, two] = measured.map(({ costs, supervisor, rates }) => {
    return { cost: median(costs), own: median(supervisor), rate: median(rates) };
  });
  if (one === undefined || two === undefined) throw new Error("two services were measured");
  const spread = callsByWorker(services[1]?.log ?? "");
  const total = spread.reduce((sum, calls) => sum + calls, 0);
  const most = (Math.max(...spread) * spread.length) / total - 1;
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`CPU per call, 1 process    ${one.cost.toFixed(0)} µs  (${one.rate.toFixed(0)} calls/s)`);
  print(`CPU per call, 2 workers    ${two.cost.toFixed(0)} µs  (${two.rate.toFixed(0)} calls/s)`);
  print(`of which the supervisor    ${two.own.toFixed(0)} µs`);
  print(`ratio                      ${(two.cost / one.cost).toFixed(2)}`);
  print(`calls by worker            ${spread.join(" : ")}, at most ${(most * 100).toFixed(0)} % above the mean`);
} finally {
  for (const service of services) service.kill();
  rmSync(folder, { recursive: true, force: true });
}

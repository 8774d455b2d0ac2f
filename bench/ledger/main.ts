/**
 * `npm run bench -- --ledger`: measures what the ledger adds to a call, in this process: the CPU time, with the threads
 * that write, and the wait for the mark and the record, for each durability.
 *
 *   --quick   a fifth of the calls
 *   --json    prints JSON
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { atMost, describeMachine, type Figure, formatSection, type Section, versus } from "../report.ts";
import { quantile, summarize } from "../statistics.ts";
import { createCall, durabilities, type LedgerPath, openPath } from "./paths.ts";

/** Longest CPU time in µs that limits and the ledger together may add to a call. */
const budgetMicroseconds = 15;

const { values: options } = parseArgs({
  options: { ledger: { type: "boolean" }, quick: { type: "boolean" }, json: { type: "boolean" } },
});
const rounds = 9;
const callsPerRound = options.quick ? 2_000 : 10_000;

interface Round {
  /** CPU time per call in µs. */
  readonly cpu: number;
  /** Waits of the calls in ms. */
  readonly waits: readonly number[];
}

/** Makes calls, of which a number is in flight at any time. */
async function measure(path: LedgerPath, inFlight: number, calls: number): Promise<Round> {
  const waits: number[] = [];
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const call = createCall();
      const start = performance.now();
      await path.starting(call);
      await path.settled(call);
      waits.push(performance.now() - start);
    }
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: inFlight }, caller));
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / calls, waits };
}

async function compare(folder: string, inFlight: number): Promise<Section> {
  const paths = new Map([undefined, ...durabilities].map((durability) => [durability, openPath(folder, durability)]));
  const measured = new Map([...paths.keys()].map((name) => [name, [] as Round[]]));
  for (const path of paths.values()) await measure(path, inFlight, callsPerRound);
  for (let round = 0; round < rounds; round++) {
    // Every second round in the opposite order, so that a drift of the machine affects all alike.
    for (const [name, path] of round % 2 === 0 ? paths : [...paths].reverse()) {
      measured.get(name)?.push(await measure(path, inFlight, callsPerRound));
    }
  }
  for (const path of paths.values()) await path.close();
  const of = (name: (typeof durabilities)[number] | undefined) => measured.get(name) ?? [];
  const cpu = (name: (typeof durabilities)[number] | undefined) => of(name).map((round) => round.cpu);
  const wait = (name: (typeof durabilities)[number], q: number) =>
    summarize(of(name).map(({ waits }) => quantile(waits, q)));
  const figures: Figure[] = durabilities.flatMap((durability) => [
    versus(
      `durability ${durability}: CPU per call`,
      "µs",
      "added",
      cpu(durability),
      cpu(undefined),
      atMost(budgetMicroseconds),
    ),
    { name: `durability ${durability}: wait of a call, p50`, unit: "ms", value: wait(durability, 0.5) },
    { name: `durability ${durability}: wait of a call, p99`, unit: "ms", value: wait(durability, 0.99) },
  ]);
  return { title: `Outbox, ${inFlight} in flight`, against: "without", comparison: "added", figures };
}

// In the project: the folder for temporary files can be in memory.
const results = join(import.meta.dirname, "../results");
mkdirSync(results, { recursive: true });
const folder = mkdtempSync(join(results, "ledger-"));
try {
  const sections: Section[] = [];
  for (const inFlight of [1, 64]) {
    const section = await compare(folder, inFlight);
    sections.push(section);
    if (!options.json) console.log(formatSection(section));
  }
  if (options.json)
    console.log(JSON.stringify({ machine: describeMachine(), rounds, callsPerRound, sections }, null, 2));
} finally {
  rmSync(folder, { recursive: true });
}

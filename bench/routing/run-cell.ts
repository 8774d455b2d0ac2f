import { setTimeout } from "node:timers/promises";
import type { Attempt } from "./attempts.ts";
import type { Caller } from "./callers.ts";
import { fast } from "./faults.ts";
import { type Cell, cellName, type Scenario } from "./scenarios.ts";
import { type Outcome, outcomeOf, type Row, tally } from "./tally.ts";
import { promptOf } from "./texts.ts";

/** Calls in progress at once. */
const concurrency = 8;

/** A whole response of the scenario, in deltas. */
function deltasOf({ targets }: Scenario): number {
  const [first] = Object.values(targets);
  return first?.kind === "answers" ? first.step.deltas : fast.deltas;
}

interface CellCaller {
  readonly caller: Caller;
  /** Model that the caller requests. */
  readonly model: string;
}

async function callAll({ scenario, mode }: Cell, { caller, model }: CellCaller, calls: number): Promise<Outcome[]> {
  const { deadlineMs, leaveAfterMs } = scenario;
  const deltas = deltasOf(scenario);
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < calls) {
      const call = next++;
      const prompt = promptOf({ call, calls });
      const result = await caller.call({ model, prompt, mode, deadlineMs, leaveAfterMs });
      outcomes.push(outcomeOf(result, call, deltas, Date.now()));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return outcomes;
}

/** Runs the calls of one cell, and compares what callers saw with what the upstreams saw. */
export async function runCell(cell: Cell, caller: CellCaller, calls: number, upstream: string): Promise<Row> {
  const { scenario, mode, system } = cell;
  const outcomes = await callAll(cell, caller, calls);
  await setTimeout(scenario.watchMs);
  const response = await fetch(`${new URL(upstream).origin}/attempts/${cellName(cell)}`);
  // The cast is safe: bench/routing/upstream.ts sends its log.
  const attempts = (await response.json()) as readonly Attempt[];
  return tally({ scenario: scenario.name, mode, system, outcomes, attempts, deltas: deltasOf(scenario) });
}

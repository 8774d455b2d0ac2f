import { setTimeout } from "node:timers/promises";
import type { Bench, Cost } from "../bench.ts";
import { atMost, type Figure, type Section, single, versus } from "../report.ts";
import { memory } from "../usage.ts";

/** Calls of the warm-up at least: a service has compiled and optimized all its code by then. */
const warmCalls = 20_000;

/** Measures what calls cost after idleness, relative to the calls before it, and the memory while idle. */
export async function measureIdle(bench: Bench): Promise<Section> {
  const { service, scale } = bench;
  const load = { concurrency: 16, ask: { model: "bench-16" } };
  for (let calls = 0; calls < warmCalls; ) {
    const { callsPerSecond } = await bench.cost(service, { ...load, durationMs: scale.warmUpMs });
    calls += (callsPerSecond * scale.warmUpMs) / 1000;
  }
  const costs = async (): Promise<readonly number[]> => {
    const all: Cost[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      all.push(await bench.cost(service, { ...load, durationMs: scale.roundMs }));
    }
    return all.map(({ microsecondsPerCall }) => microsecondsPerCall);
  };
  const before = await costs();
  const warm = memory(service.pid);
  await setTimeout(scale.idleMs);
  const idle = memory(service.pid);
  const after = await costs();
  const seconds = scale.idleMs / 1000;
  const figures: Figure[] = [
    versus(`CPU per call, first calls after ${seconds} s`, "µs", "ratio", after, before, atMost(1.25)),
    single("resident memory, under load", "MiB", warm.residentMiB),
    single(`resident memory, after ${seconds} s`, "MiB", idle.residentMiB, atMost(350)),
  ];
  return { title: "Unary calls after idleness", against: "before", comparison: "ratio", figures };
}

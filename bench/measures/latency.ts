import type { Bench } from "../bench.ts";
import type { Ask, LatencyResult } from "../load/jobs.ts";
import { atMost, type Budget, type Figure, type Section, versus } from "../report.ts";
import { quantile } from "../statistics.ts";

interface Timed {
  readonly name: string;
  readonly ask: Ask;
}

const timed: readonly Timed[] = [
  { name: "unary", ask: { model: "bench-16" } },
  { name: "time to first delta", ask: { model: "bench-16-apart", stream: { keepProviderDeltas: false } } },
];

const budgets: readonly (readonly [q: number, budget: Budget])[] = [
  [0.5, atMost(0.5)],
  [0.99, atMost(2)],
];

const warmUpSamples = 200;

/** What the service adds to a direct call of the upstream, one call at a time, the two in turn. */
export async function measureLatency(bench: Bench): Promise<Section> {
  const { rounds, samples } = bench.scale;
  const figures: Figure[] = [];
  for (const { name, ask } of timed) {
    const job = { kind: "latency", targets: [bench.direct, bench.service.target], ask } as const;
    await bench.run({ ...job, samples: warmUpSamples });
    const results: LatencyResult[] = [];
    for (let round = 0; round < rounds; round++) results.push(await bench.run({ ...job, samples }));
    for (const [q, budget] of budgets) {
      const direct = results.map(([times = []]) => quantile(times, q));
      const through = results.map(([, times = []]) => quantile(times, q));
      figures.push(versus(`${name}, p${q * 100}`, "ms", "added", through, direct, budget));
    }
  }
  return { title: "Latency, one call at a time", against: "direct call", comparison: "added", figures };
}

import type { Bench } from "../bench.ts";
import type { Ask, LatencyResult } from "../load/jobs.ts";
import { atMost, type Budget, type Figure, type Section, versus } from "../report.ts";
import { quantile } from "../statistics.ts";

interface Timed {
  readonly name: string;
  readonly ask: Ask;
  /** Whether to measure the bare forwarder too. Its latency is what any gRPC gateway adds on this machine. */
  readonly bare: boolean;
}

const timed: readonly Timed[] = [
  { name: "unary", ask: { model: "bench-16" }, bare: true },
  // Without the bare forwarder: it sends no upstream request for a stream, so its time would mean nothing.
  { name: "time to first delta", bare: false, ask: { model: "bench-16-apart", stream: { keepProviderDeltas: false } } },
];

const budgets: readonly (readonly [q: number, budget: Budget])[] = [
  [0.5, atMost(0.5)],
  [0.99, atMost(2)],
];

const warmUpSamples = 200;

/** Measures the latency that the service adds to direct upstream calls. Calls the targets in turn, one at a time. */
export async function measureLatency(bench: Bench): Promise<Section> {
  const { rounds, samples } = bench.scale;
  const figures: Figure[] = [];
  for (const { name, ask, bare } of timed) {
    const job = {
      kind: "latency",
      targets: [bench.direct, bench.service.target, ...(bare ? [bench.bare.target] : [])],
      ask,
    } as const;
    await bench.run({ ...job, samples: warmUpSamples });
    const results: LatencyResult[] = [];
    for (let round = 0; round < rounds; round++) results.push(await bench.run({ ...job, samples }));
    for (const [q, budget] of budgets) {
      const direct = results.map(([times = []]) => quantile(times, q));
      const through = results.map(([, times = []]) => quantile(times, q));
      figures.push(versus(`${name}, p${q * 100}`, "ms", "added", through, direct, budget));
      if (!bare) continue;
      const hop = results.map(([, , times = []]) => quantile(times, q));
      figures.push(versus(`${name} through the bare forwarder, p${q * 100}`, "ms", "added", hop, direct));
    }
  }
  return { title: "Latency, one call at a time", against: "direct call", comparison: "added", figures };
}

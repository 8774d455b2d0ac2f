import type { Bench } from "../bench.ts";
import type { Ask, LatencyResult } from "../load/jobs.ts";
import { atMost, type Figure, type Section, versus } from "../report.ts";
import { compareRounds, quantile, summarize } from "../statistics.ts";

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

const quantiles = [0.5, 0.99];
/** Maximum of what the service adds, relative to what the bare forwarder adds. */
const budget = atMost(1.3);

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
    for (const q of quantiles) {
      const [direct = [], through = [], hop = []] = [0, 1, 2].map((target) =>
        results.map((times) => quantile(times[target] ?? [], q)),
      );
      figures.push(versus(`${name}, p${q * 100}`, "ms", "added", through, direct));
      if (!bare) continue;
      figures.push(versus(`${name} through the bare forwarder, p${q * 100}`, "ms", "added", hop, direct));
      const added = compareRounds(through, direct, "added");
      const addedByHop = compareRounds(hop, direct, "added");
      const ratio = summarize(compareRounds(added, addedByHop, "ratio"));
      figures.push({
        name: `${name}: added / added by the bare forwarder, p${q * 100}`,
        unit: "",
        value: ratio,
        budget,
      });
    }
  }
  return { title: "Latency, one call at a time", against: "direct call", comparison: "added", figures };
}

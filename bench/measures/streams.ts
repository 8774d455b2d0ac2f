import type { Bench, Server } from "../bench.ts";
import { atMost, type Figure, type Section, versus } from "../report.ts";

const concurrency = 16;
const lengths = { short: 64, long: 256 } as const;

interface Variant {
  readonly name: string;
  /** Suffix of the model name. With `-apart`, the upstream sends each delta in a separate write. */
  readonly suffix: "" | "-apart";
  readonly keepProviderDeltas: boolean;
}

const variants: readonly Variant[] = [
  { name: "in separate writes, not coalesced", suffix: "-apart", keepProviderDeltas: true },
  { name: "in one write, not coalesced", suffix: "", keepProviderDeltas: true },
  { name: "in one write, coalesced (default)", suffix: "", keepProviderDeltas: false },
];

/** CPU time of a whole stream in µs, one value per round. */
interface Rounds {
  readonly short: number[];
  readonly long: number[];
}

async function measureStream(bench: Bench, server: Server, variant: Variant, length: number): Promise<number> {
  const { suffix, keepProviderDeltas } = variant;
  const ask = { model: `bench-${length}${suffix}`, stream: { keepProviderDeltas } };
  const cost = await bench.cost(server, { concurrency, durationMs: bench.scale.roundMs, ask });
  if (keepProviderDeltas && cost.messagesPerCall !== length) {
    bench.problems.push(`${server.name}, ${ask.model}: ${cost.messagesPerCall} messages instead of ${length}`);
  }
  return cost.microsecondsPerCall;
}

function compare(variant: Variant, service: Rounds, bare: Rounds): Figure[] {
  const figures = (["short", "long"] as const).map((which) => {
    const perDelta = (rounds: Rounds): number[] => rounds[which].map((cost) => cost / lengths[which]);
    const name = `CPU per delta, ${lengths[which]} ${variant.name}`;
    return versus(name, "µs", "ratio", perDelta(service), perDelta(bare), atMost(2));
  });
  const slope = ({ short, long }: Rounds): number[] =>
    long.map((cost, round) => (cost - (short[round] ?? Number.NaN)) / (lengths.long - lengths.short));
  return [...figures, versus(`CPU per additional delta, ${variant.name}`, "µs", "ratio", slope(service), slope(bare))];
}

/**
 * Measures the CPU time per provider delta: the time of whole streams divided by their number of deltas. The bare
 * forwarder sends the same number of messages, one per event-loop turn in the variant with separate writes. The slope
 * between streams of 64 and 256 deltas is the cost of an additional delta, without the fixed cost of a call.
 */
export async function measureStreams(bench: Bench): Promise<Section> {
  const servers = [bench.service, bench.bare] as const;
  const ask = { model: "bench-64-apart", stream: { keepProviderDeltas: true } };
  for (const server of servers) await bench.cost(server, { concurrency, durationMs: bench.scale.warmUpMs, ask });
  const noRounds = (): Rounds => ({ short: [], long: [] });
  const measured = variants.map((variant) => ({ variant, service: noRounds(), bare: noRounds() }));
  for (let round = 0; round < bench.scale.rounds; round++) {
    for (const { variant, service, bare } of measured) {
      for (const which of ["short", "long"] as const) {
        service[which].push(await measureStream(bench, bench.service, variant, lengths[which]));
        bare[which].push(await measureStream(bench, bench.bare, variant, lengths[which]));
      }
    }
  }
  const figures = measured.flatMap(({ variant, service, bare }) => compare(variant, service, bare));
  return { title: "Streamed deltas", against: "bare grpc-js", comparison: "ratio", figures };
}

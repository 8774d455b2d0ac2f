import type { Bench, Cost, Server } from "../bench.ts";
import { atMost, type Figure, type Section, versus } from "../report.ts";

interface Case {
  readonly concurrency: number;
  /** Length of the response in words: 16 words are two sentences, 256 are a page. */
  readonly words: number;
}

const cases: readonly Case[] = [
  { concurrency: 1, words: 16 },
  { concurrency: 16, words: 16 },
  { concurrency: 64, words: 16 },
  { concurrency: 16, words: 256 },
];

interface Measured {
  readonly unary: Case;
  readonly service: Cost[];
  readonly bare: Cost[];
}

function measureCase(bench: Bench, server: Server, { concurrency, words }: Case, durationMs: number): Promise<Cost> {
  return bench.cost(server, { concurrency, durationMs, ask: { model: `bench-${words}` } });
}

/** Measures throughput and CPU time of unary calls, alternating between the service and the bare forwarder. */
export async function measureUnary(bench: Bench): Promise<Section> {
  const { rounds, roundMs, warmUpMs } = bench.scale;
  const warmUp = { concurrency: 16, words: 16 };
  for (const server of [bench.service, bench.bare]) await measureCase(bench, server, warmUp, warmUpMs);
  const measured = cases.map((unary): Measured => ({ unary, service: [], bare: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const { unary, service, bare } of measured) {
      service.push(await measureCase(bench, bench.service, unary, roundMs));
      bare.push(await measureCase(bench, bench.bare, unary, roundMs));
    }
  }
  const figures = measured.flatMap(({ unary, service, bare }): Figure[] => {
    const both = (field: keyof Cost) => [service.map((cost) => cost[field]), bare.map((cost) => cost[field])] as const;
    const which = `${unary.words} words, ${unary.concurrency} concurrent`;
    return [
      versus(`throughput, ${which}`, "calls/s", "ratio", ...both("callsPerSecond")),
      versus(`CPU per call, ${which}`, "µs", "ratio", ...both("microsecondsPerCall"), atMost(2.5)),
    ];
  });
  return { title: "Unary calls", against: "bare forwarder", comparison: "ratio", figures };
}

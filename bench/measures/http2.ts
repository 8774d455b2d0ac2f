import type { Bench, Server } from "../bench.ts";
import type { Ask } from "../load/jobs.ts";
import { type Figure, type Section, versus } from "../report.ts";

interface Case {
  readonly name: string;
  readonly ask: Ask;
}

const cases: readonly Case[] = [
  { name: "unary, 16 words", ask: { model: "bench-16" } },
  { name: "stream of 64 deltas apart", ask: { model: "bench-64-apart", stream: { keepProviderDeltas: true } } },
];
const concurrencies = [1, 16, 128];

/** The service with `http2: on`, and the same service without it. */
interface Servers {
  readonly http2: Server;
  readonly http1: Server;
}

/**
 * Measures calls to one upstream with TLS over HTTP/2, relative to HTTP/1.1 in the same round. The mean duration of a
 * call is the number of concurrent calls divided by the calls per second.
 */
export async function measureHttp2(bench: Bench, { http2, http1 }: Servers): Promise<Section> {
  const { rounds, roundMs, warmUpMs } = bench.scale;
  const ask = { model: "bench-16" };
  for (const server of [http2, http1]) await bench.cost(server, { concurrency: 16, durationMs: warmUpMs, ask });
  const measured = cases.flatMap((one) =>
    concurrencies.map((concurrency) => ({ ...one, concurrency, costs: [http2, http1].map(newCosts) })),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { ask: asked, concurrency, costs } of measured) {
      for (const { server, cpu, duration } of costs) {
        const cost = await bench.cost(server, { concurrency, durationMs: roundMs, ask: asked });
        cpu.push(cost.microsecondsPerCall);
        duration.push((concurrency / cost.callsPerSecond) * 1000);
      }
    }
  }
  const figures = measured.flatMap(({ name, concurrency, costs: [on, off] }): Figure[] => {
    if (on === undefined || off === undefined) return [];
    const which = `${name}, ${concurrency} concurrent`;
    return [
      versus(`CPU per call, ${which}`, "µs", "ratio", on.cpu, off.cpu),
      versus(`mean duration, ${which}`, "ms", "ratio", on.duration, off.duration),
    ];
  });
  return { title: "HTTP/2 to the provider", against: "HTTP/1.1", comparison: "ratio", figures };
}

function newCosts(server: Server) {
  const cpu: number[] = [];
  const duration: number[] = [];
  return { server, cpu, duration };
}

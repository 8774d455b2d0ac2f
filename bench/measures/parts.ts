import type { Bench, Server } from "../bench.ts";
import { type Figure, type Section, versus } from "../report.ts";
import { warmUp } from "./costs.ts";

const concurrency = 16;
const ask = { model: "bench-16" };

/** Measures what each part adds to a unary call: the service with everything on, and one without that part. */
export async function measureParts(bench: Bench, without: ReadonlyMap<string, Server>): Promise<Section> {
  const all = [bench.service, ...without.values()].map((server) => ({ server, costs: [] as number[] }));
  for (const { server } of all) await warmUp(bench, server, 20_000, ask);
  for (let round = 0; round < bench.scale.rounds * 2; round++) {
    for (const { server, costs } of all) {
      const { microsecondsPerCall } = await bench.cost(server, { concurrency, durationMs: bench.scale.roundMs, ask });
      costs.push(microsecondsPerCall);
    }
  }
  const [service, ...others] = all;
  const names = [...without.keys()];
  const figures = others.map(
    ({ costs }, index): Figure => versus(`${names[index]}`, "µs", "added", service?.costs ?? [], costs),
  );
  return { title: "Parts of a unary call", against: "without it", comparison: "added", figures };
}

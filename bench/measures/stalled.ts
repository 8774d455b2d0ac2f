import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { atMost, type Section, single } from "../report.ts";
import { memory } from "../usage.ts";

const streams = 16;
/** When to look whether the upstream has come to a halt, and whether it stayed there. */
const lookMs = { first: 4000, second: 5500 } as const;
const durationMs = 6000;
const mebibyte = 2 ** 20;

interface Flood {
  readonly bytes: number;
  readonly streams: number;
}

/** Readers that stop reading: the upstream has to come to a halt, and memory with it. */
export async function measureStalled(bench: Bench, upstream: string): Promise<Section> {
  const { service } = bench;
  if (service.target.protocol !== "grpc") throw new Error("the service is measured over gRPC");
  // The only upstream is bench/upstream.ts, so the shape of its answer is known.
  const flood = async (): Promise<Flood> => (await fetch(upstream)).json() as Promise<Flood>;
  // A first use would be counted as memory of the stalled streams.
  const warmUp = { model: "bench-64", stream: { keepProviderDeltas: true } };
  await bench.cost(service, { concurrency: streams, durationMs: bench.scale.warmUpMs, ask: warmUp });
  const beforeMiB = memory(service.pid).residentMiB;
  const job = bench.run({ kind: "stalled", port: service.target.port, streams, durationMs });
  await setTimeout(lookMs.first);
  const early = await flood();
  await setTimeout(lookMs.second - lookMs.first);
  const late = await flood();
  const stalledMiB = memory(service.pid).residentMiB;
  const ended = await job;
  if (ended > 0 || early.streams !== streams) {
    bench.problems.push(`stalled: ${early.streams} of ${streams} streams reached the upstream, ${ended} ended early`);
  }
  // Cancellation reaches the upstream within 100 ms by the service's own law; a loaded machine may take longer.
  await setTimeout(1000);
  const figures = [
    single("upstream sent until it was paused, each stream", "MiB", early.bytes / streams / mebibyte),
    single("upstream sent while it was paused", "MiB", (late.bytes - early.bytes) / mebibyte, atMost(0)),
    single("resident memory, grown by", "MiB", stalledMiB - beforeMiB, atMost(64)),
    single("upstream requests open 1 s after the calls were cancelled", "", (await flood()).streams, atMost(0)),
  ];
  return { title: `${streams} readers that stop reading`, figures };
}

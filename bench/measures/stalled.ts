import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { atMost, type Section, single } from "../report.ts";
import { memory } from "../usage.ts";

const streams = 16;
/**
 * Times in ms from the start of the streams. At the first, the upstream should have paused. At the second, its byte
 * count must be the same.
 */
const checkMs = { first: 4000, second: 5500 } as const;
const durationMs = 6000;
const mebibyte = 2 ** 20;

interface Flood {
  readonly bytes: number;
  readonly streams: number;
}

/** Measures backpressure: when clients stop reading, the upstream must stop sending and memory must stop growing. */
export async function measureStalled(bench: Bench, upstream: string): Promise<Section> {
  const { service } = bench;
  if (service.target.protocol !== "grpc") throw new Error("the service must have a gRPC target");
  // The upstream is always bench/upstream.ts, so the cast is safe.
  const flood = async (): Promise<Flood> => (await fetch(upstream)).json() as Promise<Flood>;
  // Without a warm-up, memory allocated on first use would count as memory of the stalled streams.
  const warmUp = { model: "bench-64", stream: { keepProviderDeltas: true } };
  await bench.cost(service, { concurrency: streams, durationMs: bench.scale.warmUpMs, ask: warmUp });
  const beforeMiB = memory(service.pid).residentMiB;
  const job = bench.run({
    kind: "stalled",
    port: service.target.port,
    headers: service.target.headers,
    streams,
    durationMs,
  });
  await setTimeout(checkMs.first);
  const early = await flood();
  await setTimeout(checkMs.second - checkMs.first);
  const late = await flood();
  const stalledMiB = memory(service.pid).residentMiB;
  const ended = await job;
  if (ended > 0 || early.streams !== streams) {
    bench.problems.push(`stalled: ${early.streams} of ${streams} streams reached the upstream, ${ended} ended early`);
  }
  // The service should abort upstream requests within 100 ms of a cancellation. Wait longer, for busy machines.
  await setTimeout(1000);
  const figures = [
    single("sent by the upstream until it paused, per stream", "MiB", early.bytes / streams / mebibyte),
    single("sent by the upstream while it was paused", "MiB", (late.bytes - early.bytes) / mebibyte, atMost(0)),
    single("growth of resident memory", "MiB", stalledMiB - beforeMiB, atMost(64)),
    single("upstream requests open 1 s after the calls were cancelled", "", (await flood()).streams, atMost(0)),
  ];
  return { title: `${streams} clients that stop reading`, figures };
}

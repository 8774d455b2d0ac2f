import { setTimeout } from "node:timers/promises";
import type { Bench, Server } from "../bench.ts";
import { atMost, type Section, single } from "../report.ts";
import { memory } from "../usage.ts";

const streams = 10_000;
/** Time that the streams stay open without a delta, in ms. */
const holdMs = 10_000;

/** Bounds that admit the streams of one caller and their connections to the provider. */
const bounds = `limits: { max_streams: 20000, max_streams_per_address: 20000 }
providers: { openai: { max_connections: 20000 } }
`;

/** Measures the memory of many streams that have sent their first delta and wait for the next one. */
export async function measureOpenStreams(
  bench: Bench,
  start: (configuration: string) => Promise<Server & { stop(): Promise<void> }>,
): Promise<Section> {
  const service = await start(bounds);
  const beforeMiB = memory(service.pid).residentMiB;
  const { opened, failures, firstFailure } = await bench.run({ kind: "open", target: service.target, streams });
  if (failures > 0) bench.problems.push(`open: ${failures} streams failed, the first: ${firstFailure}`);
  const openMiB = memory(service.pid).residentMiB;
  await setTimeout(holdMs);
  const { residentMiB, peakMiB } = memory(service.pid);
  await bench.run({ kind: "release", target: service.target });
  await service.stop();
  return {
    title: `${streams} open streams`,
    figures: [
      single("open streams", "", opened),
      single("resident memory before", "MiB", beforeMiB),
      single("resident memory, all open", "MiB", openMiB, atMost(1024)),
      single(`resident memory, ${holdMs / 1000} s later`, "MiB", residentMiB, atMost(openMiB * 1.05)),
      single("peak", "MiB", peakMiB, atMost(1024)),
      single("memory per stream", "KiB", ((residentMiB - beforeMiB) * 1024) / streams),
    ],
  };
}

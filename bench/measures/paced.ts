import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { atMost, type Figure, type Section, single } from "../report.ts";
import { cpuMicroseconds, memory } from "../usage.ts";

const streams = 512;
const deltasPerSecond = 50;
/** A gap of ten intervals between deltas, in ms, counts as a stall, since a user would notice it. */
const stallMs = 200;
/** Maximum ratio of memory after the streams to before them. Above 1, since a heap never shrinks completely. */
const settledRatio = 1.25;

/** Measures many streams that send deltas at a fixed rate: lost deltas, stalls, and memory before, during and after. */
export async function measurePaced(bench: Bench, idleMiB: number): Promise<Section> {
  const { service, scale } = bench;
  await setTimeout(scale.settleMs);
  const beforeMiB = memory(service.pid).residentMiB;
  let peakMiB = beforeMiB;
  const sampling = setInterval(() => {
    peakMiB = Math.max(peakMiB, memory(service.pid).residentMiB);
  }, 100);
  const cpuBefore = cpuMicroseconds(service.pid);
  const deltas = deltasPerSecond * scale.pacedSeconds;
  const job = { kind: "paced", target: service.target, streams, deltasPerSecond, deltas, stallMs } as const;
  const result = await bench.run(job).finally(() => clearInterval(sampling));
  const cpu = cpuMicroseconds(service.pid) - cpuBefore;
  if (result.failures > 0) {
    bench.problems.push(`paced: ${result.failures} streams failed, first error: ${result.firstFailure}`);
  }
  await setTimeout(scale.settleMs);
  const after = memory(service.pid);
  const sent = streams * deltas;
  const settled = `resident memory, ${scale.settleMs / 1000} s after the streams`;
  const figures: Figure[] = [
    single("deltas lost or out of order", `of ${sent}`, result.lost, atMost(0)),
    single("streams failed", `of ${streams}`, result.failures, atMost(0)),
    single(`gaps over ${stallMs} ms (sent every ${1000 / deltasPerSecond} ms)`, "", result.stalls, atMost(0)),
    single("gap between deltas, p99", "ms", result.gapP99Ms),
    single("gap between deltas, longest", "ms", result.gapMaxMs),
    single("messages per provider delta", "", result.messages / sent),
    single("CPU per delta", "µs", cpu / sent),
    single("share of one processor", "%", cpu / 1e4 / result.seconds),
    single("resident memory, before any load", "MiB", idleMiB),
    single("resident memory, idle before the streams", "MiB", beforeMiB),
    single("resident memory, peak during the streams", "MiB", peakMiB, atMost(400)),
    single("resident memory, peak of the whole run", "MiB", after.peakMiB, atMost(400)),
    single(settled, "MiB", after.residentMiB, atMost(beforeMiB * settledRatio)),
  ];
  return { title: `${streams} streams at ${deltasPerSecond} deltas/s for ${scale.pacedSeconds} s`, figures };
}

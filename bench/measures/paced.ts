import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { atMost, type Figure, type Section, single } from "../report.ts";
import { cpuMicroseconds, memory } from "../usage.ts";

const streams = 512;
/** Streams while the delays of the event loop are measured. */
const manyStreams = 1000;
const deltasPerSecond = 50;
/** A gap of five intervals between deltas, in ms, counts as a stall, since a user would notice it. */
const stallMs = 100;
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
  const delays = await measureDelays(bench);
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
    single("resident memory, peak during the streams", "MiB", peakMiB, atMost(350)),
    single(`event-loop delay, p99.9, idle`, "ms", delays.idleMs),
    single(`event-loop delay, p99.9, at ${manyStreams} streams`, "ms", delays.busyMs, atMost(delays.idleMs + 20)),
    single(settled, "MiB", after.residentMiB, atMost(beforeMiB * settledRatio)),
  ];
  return { title: `${streams} streams at ${deltasPerSecond} deltas/s for ${scale.pacedSeconds} s`, figures };
}

/** Delays of the event loop that 99.9 % of its turns stay below, while idle and with many streams. */
async function measureDelays(bench: Bench) {
  await bench.probe({ probe: "delays", read: false });
  await setTimeout(bench.scale.pacedSeconds * 1000);
  const idleMs = await bench.probe({ probe: "delays", read: true });
  const deltas = deltasPerSecond * bench.scale.pacedSeconds;
  await bench.probe({ probe: "delays", read: false });
  const { target } = bench.service;
  const { failures, lost } = await bench.run({
    kind: "paced",
    target,
    streams: manyStreams,
    deltasPerSecond,
    deltas,
    stallMs,
  });
  const busyMs = await bench.probe({ probe: "delays", read: true });
  if (failures + lost > 0)
    bench.problems.push(`paced: ${failures} of ${manyStreams} streams failed, ${lost} deltas lost`);
  return { idleMs, busyMs };
}

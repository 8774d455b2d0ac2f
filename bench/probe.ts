/**
 * Loaded into the measured process before its program: answers what only the process itself can tell, over the channel
 * to its parent.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** What a parent can ask. */
export type Probe =
  | { readonly probe: "allocated" }
  | { readonly probe: "profile"; readonly file?: string }
  | { readonly probe: "allocations"; readonly file?: string }
  | { readonly probe: "delays"; readonly read: boolean };

/** Resolution of the measured delays in ms. */
const resolution = 1;

const session = new Session();
const delays = monitorEventLoopDelay({ resolution });

const answers = {
  /** Bytes that the process has allocated on its heap since its start. */
  allocated: async () => getHeapStatistics().total_allocated_bytes,
  /** Without a file, starts a CPU profile. With one, ends it and writes it there. */
  profile: async ({ file }: Probe & { readonly probe: "profile" }) => {
    if (file === undefined) {
      session.connect();
      await session.post("Profiler.enable");
      await session.post("Profiler.setSamplingInterval", { interval: 200 });
      await session.post("Profiler.start");
    } else {
      writeFileSync(file, JSON.stringify((await session.post("Profiler.stop")).profile));
      session.disconnect();
    }
    return 0;
  },
  /** The same for a profile of what is allocated, also of what is collected again. */
  allocations: async ({ file }: Probe & { readonly probe: "allocations" }) => {
    if (file === undefined) {
      session.connect();
      await session.post("HeapProfiler.enable");
      await session.post("HeapProfiler.startSampling", {
        samplingInterval: 4096,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
    } else {
      writeFileSync(file, JSON.stringify((await session.post("HeapProfiler.stopSampling")).profile));
      session.disconnect();
    }
    return 0;
  },
  /** The delay of the event loop in ms that 99.9 % of its turns stayed below, since the last start. */
  delays: async ({ read }: Probe & { readonly probe: "delays" }) => {
    if (read) {
      delays.disable();
      return delays.percentile(99.9) / 1e6 - resolution;
    }
    delays.reset();
    delays.enable();
    return 0;
  },
};

function answer(asked: Probe): Promise<number> {
  switch (asked.probe) {
    case "allocated":
      return answers.allocated();
    case "profile":
      return answers.profile(asked);
    case "allocations":
      return answers.allocations(asked);
    case "delays":
      return answers.delays(asked);
  }
}

process.on("message", (asked: Probe) => {
  answer(asked).then((value) => process.send?.({ value }));
});
// The channel alone does not keep the process alive.
process.channel?.unref();

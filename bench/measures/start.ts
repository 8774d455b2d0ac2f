import { setTimeout } from "node:timers/promises";
import type { Bench, Server } from "../bench.ts";
import { atMost, type Section } from "../report.ts";
import { summarize } from "../statistics.ts";
import { memory } from "../usage.ts";

/** A service that was started for this measurement. */
export interface Started extends Server {
  /** From the start of the process to the first 200 of /readyz, in ms. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Measures the time until the service is ready, and its memory before the first call. */
export async function measureStart(bench: Bench, start: () => Promise<Started>): Promise<Section> {
  const ready: number[] = [];
  const resident: number[] = [];
  for (let round = 0; round < bench.scale.rounds; round++) {
    const service = await start();
    ready.push(service.readyMs);
    await setTimeout(bench.scale.settleMs);
    resident.push(memory(service.pid).residentMiB);
    await service.stop();
  }
  const figures = [
    { name: "time to ready", unit: "ms", value: summarize(ready), budget: atMost(1_000) },
    {
      name: `resident memory, ${bench.scale.settleMs / 1000} s later`,
      unit: "MiB",
      value: summarize(resident),
      budget: atMost(130),
    },
  ];
  return { title: "Start", figures };
}

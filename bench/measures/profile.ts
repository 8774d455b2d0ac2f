import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Ask } from "../load/jobs.ts";
import { summarizeAllocations, summarizeProfile } from "../profile.ts";
import { warmUp } from "./costs.ts";

const asks: Readonly<Record<string, Ask>> = {
  unary: { model: "bench-16" },
  stream: { model: "bench-64", stream: { keepProviderDeltas: false } },
};

/** Writes profiles of warm calls of each kind into a folder. Returns their summaries as text. */
export async function measureProfile(bench: Bench, directory: string): Promise<string> {
  const texts: string[] = [];
  for (const [kind, ask] of Object.entries(asks)) {
    await warmUp(bench, bench.service, 20_000, ask);
    const profile = async (probe: "profile" | "allocations", extension: string) => {
      const file = join(directory, `${kind}.${extension}`);
      await bench.probe({ probe });
      const calls = await bench.count({ concurrency: 16, durationMs: bench.scale.roundMs * 4, ask });
      await bench.probe({ probe, file });
      texts.push(`Profile of ${calls} calls, ${kind}: ${file}`);
      return [JSON.parse(readFileSync(file, "utf8")), calls] as const;
    };
    texts.push(summarizeProfile(...(await profile("profile", "cpuprofile"))));
    texts.push(summarizeAllocations(...(await profile("allocations", "heapprofile"))));
  }
  return texts.join("\n");
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Ask } from "../load/jobs.ts";
import { summarizeProfile } from "../profile.ts";
import { warmUp } from "./costs.ts";

const asks: Readonly<Record<string, Ask>> = {
  unary: { model: "bench-16" },
  stream: { model: "bench-64", stream: { keepProviderDeltas: false } },
};

/** Writes a CPU profile of warm calls of each kind into a folder. Returns their summaries as text. */
export async function measureProfile(bench: Bench, directory: string): Promise<string> {
  const texts: string[] = [];
  for (const [kind, ask] of Object.entries(asks)) {
    await warmUp(bench, bench.service, 20_000, ask);
    const file = join(directory, `${kind}.cpuprofile`);
    await bench.probe({ probe: "profile" });
    const calls = await bench.count({ concurrency: 16, durationMs: bench.scale.roundMs * 4, ask });
    await bench.probe({ probe: "profile", file });
    texts.push(
      `Profile of ${calls} calls, ${kind}: ${file}\n${summarizeProfile(JSON.parse(readFileSync(file, "utf8")), calls)}`,
    );
  }
  return texts.join("\n");
}

import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createUsageReader } from "../kit/usage-reader.ts";

/** Usage of the Converse API: its input count excludes cache reads and writes. */
export const bedrockUsage = createUsageReader({
  counts: {
    inputTokens: ["inputTokens"],
    outputTokens: ["outputTokens"],
    totalTokens: ["totalTokens"],
    // Responses were also observed with the names that end in `Count`.
    cachedInputTokens: ["cacheReadInputTokens", "cacheReadInputTokenCount"],
    cacheWriteInputTokens: ["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
    cacheWrite1hInputTokens: ["cacheDetails[ttl=1h].inputTokens"],
  },
  besideInput: ["cachedInputTokens", "cacheWriteInputTokens"],
  toolMaps: ["serverToolUsage"],
});

export function toTimeInfo(latencyMs: number) {
  return { $typeName: "dragoman.v1.TimeInfo", providerDuration: durationFromMs(Math.round(latencyMs)) } as const;
}

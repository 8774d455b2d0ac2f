import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { exactUsage, toolRequests } from "../kit/usage.ts";
import type { PayloadUsage } from "./wire.ts";

/** Converts usage. Amazon's `inputTokens` excludes cache reads and writes; `Usage.input_tokens` includes them. */
export function toUsage(usage: PayloadUsage): Usage {
  const cached = usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount;
  const written = usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount;
  const input = (usage.inputTokens ?? 0) + (cached ?? 0) + (written ?? 0);
  const hours = usage.cacheDetails?.filter(({ ttl }) => ttl === "1h") ?? [];
  return exactUsage(input, usage.outputTokens ?? 0, {
    cachedInputTokens: cached,
    cacheWriteInputTokens: written,
    ...(hours.length > 0 && {
      cacheWrite1hInputTokens: hours.reduce((sum, { inputTokens }) => sum + (inputTokens ?? 0), 0),
    }),
    serverToolRequests: toolRequests(usage.serverToolUsage ?? {}),
  });
}

export function toTimeInfo(latencyMs: number) {
  return { $typeName: "dragoman.v1.TimeInfo", providerDuration: durationFromMs(Math.round(latencyMs)) } as const;
}

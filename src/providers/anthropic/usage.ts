import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { exactUsage, toolRequests } from "../kit/usage.ts";
import type { StreamUsage } from "./wire.ts";

/** Merges cumulative usage counts: later values replace earlier ones, and omitted fields keep their value. */
export function mergeUsage(answer: { usage: StreamUsage | undefined }, usage: StreamUsage | null | undefined): void {
  const reported = Object.entries(usage ?? {}).filter(([, value]) => value !== undefined && value !== null);
  if (reported.length > 0) answer.usage = { ...answer.usage, ...Object.fromEntries(reported) };
}

/** Converts usage. Anthropic's `input_tokens` excludes cache reads and writes; `Usage.input_tokens` includes them. */
export function toUsage(usage: StreamUsage): Usage | undefined {
  const { input_tokens: fresh, output_tokens: output } = usage;
  if (typeof fresh !== "number" || typeof output !== "number") return undefined;
  const { cache_read_input_tokens: cached, cache_creation_input_tokens: written } = usage;
  return exactUsage(fresh + (cached ?? 0) + (written ?? 0), output, {
    cachedInputTokens: cached,
    cacheWriteInputTokens: written,
    cacheWrite1hInputTokens: usage.cache_creation?.ephemeral_1h_input_tokens,
    reasoningTokens: usage.output_tokens_details?.thinking_tokens,
    serverToolRequests: toolRequests(usage.server_tool_use ?? {}),
  });
}

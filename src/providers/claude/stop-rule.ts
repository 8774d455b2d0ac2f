import type { StopRule } from "../../chat/planning/stop-rule.ts";

/** Rule of Claude's API: "stop_sequences: each stop sequence must contain non-whitespace". BerriAI/litellm#3286. */
export const claudeStops: StopRule = { rejectsBlank: true };

import type { CallIdRule } from "../../chat/planning/call-id-rule.ts";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { mistralNames } from "./mistral.ts";

/** Rule for APIs with ids of any form that must be unique in the conversation. The contract has the same length. */
export const anyCallIds: CallIdRule = { maxLength: 8192 };

/** OpenAI's rule: longer ids are rejected with `string_above_max_length`. */
export const openAiCallIds: CallIdRule = { maxLength: 40 };

/**
 * Anthropic's rule: "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'". anomalyco/opencode#1279. It states
 * no length.
 */
export const claudeCallIds: CallIdRule = { maxLength: 256, punctuation: "_-" };

/** Rule of Mistral's models, wherever they run. Source: mistral-common, validate_tool_calls. */
export const mistralCallIds: CallIdRule = { minLength: 9, maxLength: 9, punctuation: "" };

/** Rules by model family. They hold at each host that passes ids on to the model's own template or API. */
export const callIdRules: FamilyRules<CallIdRule> = {
  about: "tool call ids that families of models accept",
  sources: [
    { from: "anomalyco/opencode#1279: Claude", read: "2026-11-21" },
    { from: "mistral-common, validate_tool_calls: Mistral", read: "2026-11-21" },
    { from: "OpenAI's error string_above_max_length: OpenAI", read: "2026-11-21" },
  ],
  families: [
    { pattern: /claude/i, versions: [["1", claudeCallIds]] },
    { pattern: mistralNames, versions: [["1", mistralCallIds]] },
    { pattern: /(?:^|[/:])(?:gpt-\d|chatgpt|o\d)/i, versions: [["1", openAiCallIds]] },
  ],
};

/**
 * Returns the rule of a model's family. Undefined for other models: their ids stay as they are, because some of them
 * read their own ids, such as Kimi's `functions.list_dir:0`.
 */
export function familyCallIds(providerModel: string): CallIdRule | undefined {
  return rulesFor(callIdRules, providerModel);
}

import type { RejectedText } from "../../chat/planning/rejected-text.ts";
import type { StopRule } from "../../chat/planning/stop-rule.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { claudeStops } from "../claude/stop-rule.ts";
import { mistralNames } from "../kit/mistral.ts";

/** What the models of a family require of the messages and stop sequences, at each host that passes them on. */
export interface ConversationRules {
  /**
   * Turns of the assistant that must have a reasoning field, even if the reasoning is empty. Turns that call tools then
   * need their reasoning even if the request clears earlier reasoning.
   */
  readonly reasoning?: "every turn" | "turns with calls";
  /** Whether an assistant message must follow a tool result. */
  readonly answersResults?: boolean;
  readonly rejectedText?: RejectedText;
  readonly stopRule?: StopRule;
}

const everyTurn: ConversationRules = { reasoning: "every turn" };
const withCalls: ConversationRules = { reasoning: "turns with calls" };

/** Hosts write versions as `v4.1`, `v4p1` or `k2.6`. */
export const conversationRules: FamilyRules<ConversationRules> = {
  about: "what families of models require of the messages and stop sequences",
  sources: [
    { from: "https://api-docs.deepseek.com/guides/thinking_mode: DeepSeek V4", read: "2026-11-28" },
    { from: "MoonshotAI/kimi-cli#2141, openclaw/openclaw#73417: DeepSeek V4", read: "2026-11-28" },
    { from: "continuedev/continue#11600: Kimi", read: "2026-11-21" },
    { from: "@earendil-works/pi-ai 1.5.2: DeepSeek V4, Kimi and MiMo at several hosts", read: "2026-11-28" },
    { from: "mistralai/mistral-common#169: Mistral's roles", read: "2026-11-28" },
    { from: "Anthropic's errors for text and stop sequences of blanks, which hosts pass on", read: "2026-11-21" },
  ],
  families: [
    { pattern: /claude/i, versions: [["1", { rejectedText: "blank", stopRule: claudeStops }]] },
    { pattern: mistralNames, versions: [["1", { answersResults: true }]] },
    { pattern: /deepseek[-.](?:r\d|coder|llm|math|prover|vl)/i, versions: [["1", {}]] },
    {
      // The last occurrence: at some hosts, the vendor's name precedes the model's, as in deepseek-ai/DeepSeek-V3.1.
      pattern: /deepseek(?!.*deepseek)(?:[^/]*?[-.]v(?<major>\d)(?:[.p](?<minor>\d))?)?/i,
      versions: [
        ["1", {}],
        ["3.2", withCalls],
        ["4", everyTurn],
      ],
    },
    { pattern: /kimi-k2-thinking/i, versions: [["2", withCalls]] },
    {
      pattern: /kimi(?:-k(?<major>\d+)(?:[.p](?<minor>\d))?)?/i,
      versions: [
        ["2", {}],
        ["2.5", withCalls],
      ],
    },
    { pattern: /mimo-v/i, versions: [["2.6", everyTurn]] },
  ],
};

const none: ConversationRules = {};

export function conversationRulesOf({ providerModel }: Pick<Model, "providerModel">): ConversationRules {
  return rulesFor(conversationRules, providerModel) ?? none;
}

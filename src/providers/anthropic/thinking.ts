import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ClaudeModel } from "../claude/claude-models.ts";
import { askedThinking, budgetOf } from "../claude/thinking.ts";
import type { OutputConfig, Thinking } from "./wire.ts";

export const effortWords: Readonly<Partial<Record<ReasoningEffort, NonNullable<OutputConfig["effort"]>>>> = {
  [ReasoningEffort.LOW]: "low",
  [ReasoningEffort.MEDIUM]: "medium",
  [ReasoningEffort.HIGH]: "high",
  [ReasoningEffort.XHIGH]: "xhigh",
  [ReasoningEffort.MAX]: "max",
};

/** Returns the thinking fields of the request body. Dragoman drops or adjusts unsupported fields before this. */
export function toThinking(
  request: ChatRequest,
  rules: ClaudeModel,
  maxTokens: number,
): { readonly thinking?: Thinking; readonly effort?: NonNullable<OutputConfig["effort"]> } {
  if (request.reasoning === undefined || rules.thinking === "no") return {};
  // By default, models that support sampling parameters return summarized thinking; the others omit its text.
  // Dragoman sends `display` only to change that.
  // https://platform.claude.com/docs/en/build-with-claude/thinking#controlling-thinking-display
  const wanted = request.reasoning.format === ReasoningFormat.HIDDEN ? "omitted" : "summarized";
  const display = wanted === (rules.sampling ? "summarized" : "omitted") ? {} : ({ display: wanted } as const);
  const asked = askedThinking(request);
  switch (asked.case) {
    case "nothing":
      return rules.thinksUnasked ? { thinking: { type: "adaptive", ...display } } : {};
    case "off":
      return rules.off === "never" ? {} : { thinking: { type: rules.off } };
    case "budget":
      return { thinking: { type: "enabled", budget_tokens: asked.tokens, ...display } };
    case "effort": {
      if (rules.thinking === "budget") {
        return { thinking: { type: "enabled", budget_tokens: budgetOf(asked.effort, maxTokens), ...display } };
      }
      const effort = effortWords[asked.effort];
      return { thinking: { type: "adaptive", ...display }, ...(effort && { effort }) };
    }
    default:
      return asked satisfies never;
  }
}

/** Whether the request sets an effort or budget and the model can think. The API then allows fewer parameters. */
export function isThinking(request: ChatRequest, rules: ClaudeModel): boolean {
  const asked = askedThinking(request).case;
  return rules.thinking !== "no" && (asked === "effort" || asked === "budget");
}

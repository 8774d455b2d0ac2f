import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ClaudeModel } from "./claude-models.ts";
import type { OutputConfig, Thinking } from "./wire.ts";

/** The least budget that the API takes. A budget must also stay below `max_tokens`. */
export const leastBudget = 1_024;

export const effortWords: Readonly<Partial<Record<ReasoningEffort, NonNullable<OutputConfig["effort"]>>>> = {
  [ReasoningEffort.LOW]: "low",
  [ReasoningEffort.MEDIUM]: "medium",
  [ReasoningEffort.HIGH]: "high",
  [ReasoningEffort.XHIGH]: "xhigh",
  [ReasoningEffort.MAX]: "max",
};

/**
 * An effort as a share of `max_tokens`, for models that take only a budget. These are OpenRouter's shares.
 * https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
const budgetShares: Readonly<Partial<Record<ReasoningEffort, number>>> = {
  [ReasoningEffort.MINIMAL]: 0.1,
  [ReasoningEffort.LOW]: 0.2,
  [ReasoningEffort.MEDIUM]: 0.5,
  [ReasoningEffort.HIGH]: 0.8,
  [ReasoningEffort.XHIGH]: 0.95,
  [ReasoningEffort.MAX]: 0.95,
};

/** What a request asks of the model's thinking. */
export type Asked =
  | { readonly case: "nothing" | "off" }
  | { readonly case: "effort"; readonly effort: ReasoningEffort }
  | { readonly case: "budget"; readonly tokens: number };

export function askedThinking({ reasoning }: ChatRequest): Asked {
  const control = reasoning?.control;
  if (control?.case === "effort") {
    return control.value === ReasoningEffort.NONE ? { case: "off" } : { case: "effort", effort: control.value };
  }
  if (control?.case !== "budgetTokens") return { case: "nothing" };
  return control.value === 0 ? { case: "off" } : { case: "budget", tokens: control.value };
}

/** The budget that stands for an effort. */
export function budgetOf(effort: ReasoningEffort, maxTokens: number): number {
  return Math.max(leastBudget, Math.floor(maxTokens * (budgetShares[effort] ?? 0)));
}

/** The fields for a request to which the adaptations have been applied. */
export function toThinking(
  request: ChatRequest,
  rules: ClaudeModel,
  maxTokens: number,
): { readonly thinking?: Thinking; readonly effort?: NonNullable<OutputConfig["effort"]> } {
  if (request.reasoning === undefined || rules.thinking === "no") return {};
  // Models that give the text of their thoughts unless told otherwise are those that take sampling parameters.
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

/** Whether the request turns thinking on, so that the rules that come with it hold. */
export function isThinking(request: ChatRequest, rules: ClaudeModel): boolean {
  const asked = askedThinking(request).case;
  return rules.thinking !== "no" && (asked === "effort" || asked === "budget");
}

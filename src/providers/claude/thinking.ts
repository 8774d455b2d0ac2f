import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ClaudeModel } from "./claude-models.ts";

/** Minimum thinking budget of the API, in tokens. A budget must also be below `max_tokens`. */
export const leastBudget = 1_024;

/**
 * Thinking budget for each effort as a share of `max_tokens`, for models that support only a budget. Source:
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

/** Thinking that a request selects. */
type Asked =
  | { readonly case: "nothing" | "off" }
  | { readonly case: "effort"; readonly effort: ReasoningEffort }
  | { readonly case: "budget"; readonly tokens: number };

/** Returns the thinking that a request selects. */
export function askedThinking({ reasoning }: ChatRequest): Asked {
  const control = reasoning?.control;
  if (control?.case === "effort") {
    return control.value === ReasoningEffort.NONE ? { case: "off" } : { case: "effort", effort: control.value };
  }
  if (control?.case !== "budgetTokens") return { case: "nothing" };
  return control.value === 0 ? { case: "off" } : { case: "budget", tokens: control.value };
}

/** Converts a reasoning effort to a thinking budget, in tokens. */
export function budgetOf(effort: ReasoningEffort, maxTokens: number): number {
  return Math.max(leastBudget, Math.floor(maxTokens * (budgetShares[effort] ?? 0)));
}

/**
 * Whether the request makes the model think within a budget. Only such thinking excludes forced tool calls; adaptive
 * thinking does not: pydantic/pydantic-ai#7200.
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking#extended-thinking-with-tool-use
 */
export function thinksByBudget(request: ChatRequest, { thinking, sampling }: ClaudeModel): boolean {
  const asked = askedThinking(request).case;
  if (asked === "budget") return thinking !== "no" && sampling;
  return asked === "effort" && thinking === "budget";
}

/** Text of the error for a forced tool call together with a reasoning budget. */
export function forcedWithBudget({ thinking }: Pick<ClaudeModel, "thinking">): string {
  const fix = thinking === "adaptive" ? "set reasoning.effort" : "omit reasoning";
  return `Claude does not support forced tool calls together with a reasoning budget: ${fix}`;
}

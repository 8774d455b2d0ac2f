import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";

/** The least budget that the API takes. A budget must also stay below `max_tokens`. */
export const leastBudget = 1_024;

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
type Asked =
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

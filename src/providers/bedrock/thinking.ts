import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { effortWords } from "../chat-completions/fields.ts";
import { askedThinking, budgetOf, leastBudget } from "../claude/thinking.ts";
import type { Thinking } from "./model-rules.ts";

/** Reasoning control to send. `nothing`: none requested, not supported, or `max_output_tokens` is too small for it. */
type Sent =
  | { readonly case: "nothing" | "off" }
  | { readonly case: "effort"; readonly effort: ReasoningEffort }
  | { readonly case: "budget"; readonly tokens: number };

export function sentThinking(request: ChatRequest, thinking: Thinking | undefined): Sent {
  const asked = askedThinking(request);
  if (thinking === undefined) return { case: "nothing" };
  switch (asked.case) {
    case "nothing":
      return asked;
    case "off":
      return thinking.efforts.includes(ReasoningEffort.NONE) ? asked : { case: "nothing" };
    case "effort":
      if (thinking.kind !== "budget") return asked;
      return budget(request, budgetOf(asked.effort, request.parameters?.maxOutputTokens ?? thinking.maxOutput));
    case "budget":
      return thinking.budget ? budget(request, asked.tokens) : { case: "nothing" };
    default:
      return asked satisfies never;
  }
}

/** Raises a budget to the minimum and keeps it below `max_output_tokens`. Reasoning counts as output. */
function budget({ parameters }: ChatRequest, asked: number): Sent {
  const most = (parameters?.maxOutputTokens ?? Number.MAX_SAFE_INTEGER) - 1;
  const tokens = Math.min(Math.max(asked, leastBudget), most);
  return tokens < leastBudget ? { case: "nothing" } : { case: "budget", tokens };
}

/** Returns the reasoning fields of the request body. */
export function thinkingFields(request: ChatRequest, thinking: Thinking | undefined): Record<string, unknown> {
  const sent = sentThinking(request, thinking);
  if (thinking === undefined || sent.case === "nothing") return {};
  if (sent.case === "budget") return { thinking: { type: "enabled", budget_tokens: sent.tokens } };
  const { kind, off } = thinking;
  const word = sent.case === "effort" ? effortWords[sent.effort] : undefined;
  switch (kind) {
    case "budget":
    case "adaptive": {
      if (word === undefined) return { thinking: { type: off } };
      const display = displays[request.reasoning?.format ?? ReasoningFormat.UNSPECIFIED];
      return { thinking: { type: "adaptive", ...(display && { display }) }, output_config: { effort: word } };
    }
    case "nova":
      return { reasoningConfig: word === undefined ? { type: off } : { type: "enabled", maxReasoningEffort: word } };
    case "flat":
      return { reasoning_effort: word };
    case "nested":
      return { reasoning: { effort: word ?? "none" } };
    default:
      return kind satisfies never;
  }
}

/** Values of Claude's request field `display`. For `omitted`, Claude returns the signature without the text. */
const displays = {
  [ReasoningFormat.UNSPECIFIED]: undefined,
  [ReasoningFormat.PARSED]: "summarized",
  [ReasoningFormat.RAW]: undefined,
  [ReasoningFormat.HIDDEN]: "omitted",
} as const satisfies Record<ReasoningFormat, string | undefined>;

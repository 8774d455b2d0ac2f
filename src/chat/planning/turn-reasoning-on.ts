import { create } from "@bufbuild/protobuf";
import { ReasoningConfigSchema, ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Efforts for reasoning that the caller turned on without an amount. OpenRouter documents MEDIUM for it; some models do
 * not have that effort.
 */
const usual = [ReasoningEffort.MEDIUM, ReasoningEffort.HIGH, ReasoningEffort.LOW];

/**
 * Sets a reasoning effort that the model supports, for callers who turned reasoning on without an amount. Leaves the
 * amount to the model if it supports none of the usual ones.
 *
 * Runs before the support checks, which report a model that does not reason.
 */
export function turnReasoningOn(draft: Draft, { extras, checkSupport }: PlanningContext): Draft {
  const { request } = draft;
  if (!extras?.turnsReasoningOn || request.reasoning?.control.case !== undefined) return draft;
  for (const value of usual) {
    const config = request.reasoning ?? create(ReasoningConfigSchema);
    const asked = { ...request, reasoning: { ...config, control: { case: "effort", value } as const } };
    const isRejected = checkSupport(asked).some(({ kind, field }) => kind === "REJECTED" && field[0] === "reasoning");
    if (!isRejected) return { ...draft, request: asked };
  }
  return draft;
}

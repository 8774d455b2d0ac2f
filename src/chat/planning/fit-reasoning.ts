import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningConfigSchema, ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Draft, DraftWarning } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Efforts for reasoning that the caller turned on without an amount. OpenRouter documents MEDIUM for it; some models do
 * not have that effort.
 */
const usual = [ReasoningEffort.MEDIUM, ReasoningEffort.HIGH, ReasoningEffort.LOW];

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;
const byAmount = [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX];

/**
 * Sets a reasoning effort that the model supports, for callers who turned reasoning on without an amount or set an
 * effort that the model does not have: agents send one effort to every model. Leaves the request unchanged if the model
 * supports none, and with `strict_parameters`, so that the support checks reject it.
 *
 * Runs before the support checks, which report a model that does not reason.
 */
export function fitReasoning(
  draft: Draft,
  { extras, model, checkSupport }: Pick<PlanningContext, "extras" | "model" | "checkSupport">,
): Draft {
  const { request } = draft;
  const { control } = request.reasoning ?? {};
  const supports = (effort: ReasoningEffort) =>
    !checkSupport(withEffort(request, effort)).some(
      ({ kind, field }) => kind === "REJECTED" && field[0] === "reasoning",
    );
  if (extras?.turnsReasoningOn && control?.case === undefined) {
    const effort = usual.find(supports);
    return effort === undefined ? draft : { ...draft, request: withEffort(request, effort) };
  }
  const isFixed = request.strictParameters || model.capabilities?.reasoning === false;
  if (isFixed || control?.case !== "effort" || supports(control.value)) return draft;
  const nearest = nearestTo(control.value).find(supports);
  if (nearest === undefined) return draft;
  const message = `${model.id} does not support the reasoning effort ${wordOf(control.value)}: Dragoman sends ${wordOf(nearest)}`;
  const warning: DraftWarning = { reason: "ADJUSTED", field: ["reasoning", "effort"], message };
  return { ...draft, request: withEffort(request, nearest), warnings: [...draft.warnings, warning] };
}

function withEffort(request: ChatRequest, value: ReasoningEffort): ChatRequest {
  const config = request.reasoning ?? create(ReasoningConfigSchema);
  return { ...request, reasoning: { ...config, control: { case: "effort", value } } };
}

function wordOf(effort: ReasoningEffort): string {
  return ReasoningEffort[effort]?.toLowerCase() ?? "";
}

/**
 * Returns the other efforts, nearest first. Of two equally near ones, the lower is first. NONE is last: it turns off
 * the reasoning that the caller requested.
 */
function nearestTo(effort: ReasoningEffort): readonly ReasoningEffort[] {
  const distance = (other: ReasoningEffort) =>
    other === NONE ? byAmount.length : Math.abs(byAmount.indexOf(other) - byAmount.indexOf(effort));
  return byAmount.filter((other) => other !== effort).sort((one, other) => distance(one) - distance(other));
}

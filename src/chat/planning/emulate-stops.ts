import { isSamePath } from "../../field-path.ts";
import { adaptOutgoing, type Draft, type DraftAdaptation } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import { divideStops } from "./stop-rule.ts";

const path = ["parameters", "stop_sequences"];

/**
 * Omits the stop sequences that the provider does not accept from the request: all of them if the model does not
 * support any. Dragoman ends the response itself where one would appear (chat/stream/cut-at-stops.ts). Runs after
 * `checkSupport`, which reports what the model does not support, and before `applyAdaptations`, which would drop the
 * field.
 */
export function emulateStops(draft: Draft, { stopRule, model }: Pick<PlanningContext, "stopRule" | "model">): Draft {
  const stops = draft.request.parameters?.stopSequences ?? [];
  if (stops.length === 0) return draft;
  const isUnsupported = ({ kind, field }: DraftAdaptation) =>
    kind === "UNSUPPORTED_PARAMETER" && isSamePath(field, path);
  if (draft.adaptations.some(isUnsupported)) {
    const adaptations = draft.adaptations.map((adaptation): DraftAdaptation => {
      if (!isUnsupported(adaptation)) return adaptation;
      const message = `${adaptation.message}: Dragoman ends the response where one would appear`;
      return { ...adaptation, kind: "EMULATED", message };
    });
    return withStops({ ...draft, adaptations }, [], stops);
  }
  const { sent, emulated, why } = divideStops(stops, stopRule ?? {});
  if (emulated.length === 0) return withStops(draft, sent, []);
  const message = `${model.provider} ${why.join(" and ")}: Dragoman ends the response where one of the others would appear`;
  return adaptOutgoing(withStops(draft, sent, emulated), [{ kind: "EMULATED", field: path, message }]);
}

function withStops(draft: Draft, sent: readonly string[], stops: readonly string[]): Draft {
  const { request } = draft;
  if (request.parameters === undefined) return draft;
  return { ...draft, request: { ...request, parameters: { ...request.parameters, stopSequences: [...sent] } }, stops };
}

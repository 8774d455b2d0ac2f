import { isSamePath } from "../../field-path.ts";
import type { Draft, DraftAdaptation } from "./draft.ts";

const path = ["parameters", "stop_sequences"];

/**
 * If the model does not support stop sequences, omits them from the request: Dragoman then ends the response itself
 * (chat/stream/cut-at-stops.ts). Runs after `checkSupport`, which reports what the model does not support, and before
 * `applyAdaptations`, which would drop the field.
 */
export function emulateStops(draft: Draft): Draft {
  const { parameters } = draft.request;
  const isUnsupported = ({ kind, field }: DraftAdaptation) =>
    kind === "UNSUPPORTED_PARAMETER" && isSamePath(field, path);
  if (!parameters?.stopSequences.length || !draft.adaptations.some(isUnsupported)) return draft;
  const adaptations = draft.adaptations.map((adaptation): DraftAdaptation => {
    if (!isUnsupported(adaptation)) return adaptation;
    const message = `${adaptation.message}: Dragoman ends the response where one would appear`;
    return { ...adaptation, kind: "EMULATED", message };
  });
  return {
    ...draft,
    request: { ...draft.request, parameters: { ...parameters, stopSequences: [] } },
    stops: parameters.stopSequences,
    adaptations,
  };
}

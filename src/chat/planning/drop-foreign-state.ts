import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { type Draft, type DraftMessage, draftMessages, draftParts, withMessages, withParts } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Drops provider state (opaque data, such as reasoning signatures) that another provider or model made. Only the
 * provider and model that made the state accept it.
 *
 * Runs before the support checks, which report reasoning without its state for providers that do not accept it.
 */
export function dropForeignState(draft: Draft, { model }: Pick<PlanningContext, "model">): Draft {
  const isForeign = ({ providerState: state }: Part) =>
    state !== undefined &&
    (state.provider !== model.provider || (state.model !== "" && state.model !== model.providerModel));
  if (!draft.request.messages.some(({ parts }) => parts.some(isForeign))) return draft;
  const withoutForeign = (entry: DraftMessage): DraftMessage =>
    withParts(
      entry,
      draftParts(entry).map((each) => (isForeign(each.part) ? { ...each, part: withoutState(each.part) } : each)),
    );
  return withMessages(draft, draftMessages(draft).map(withoutForeign));
}

function withoutState({ providerState: _, ...rest }: Part): Part {
  return rest;
}

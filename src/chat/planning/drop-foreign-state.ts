import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { type Draft, type DraftMessage, draftMessages, draftParts, withMessages, withParts } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Drops provider state that another provider or model made, because only its source accepts it.
 *
 * Runs before the support checks: some providers do not accept reasoning without its state.
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

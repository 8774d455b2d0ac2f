import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { type Draft, type DraftMessage, draftMessages, draftParts, withMessages, withParts } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Leaves out state that another provider or model made: it is valid only where it comes from.
 *
 * Before the checks: reasoning without its state is reasoning that some providers do not take back.
 */
export function dropForeignState(draft: Draft, { model }: Pick<PlanningContext, "model">): Draft {
  const isForeign = ({ providerState: state }: Part) =>
    state !== undefined &&
    (state.provider !== model.provider || (state.model !== "" && state.model !== model.providerModel));
  if (!draft.request.messages.some(({ parts }) => parts.some(isForeign))) return draft;
  const withoutForeign = (entry: DraftMessage): DraftMessage =>
    withParts(
      entry,
      draftParts(entry).map((own) => (isForeign(own.part) ? { ...own, part: withoutState(own.part) } : own)),
    );
  return withMessages(draft, draftMessages(draft).map(withoutForeign));
}

function withoutState({ providerState: _, ...rest }: Part): Part {
  return rest;
}

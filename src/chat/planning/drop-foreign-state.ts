import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { type Draft, type DraftMessage, draftMessages, draftParts, withMessages, withParts } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Drops provider state (opaque data, such as reasoning signatures) that another provider or model made. Only the
 * provider and model that made the state accept it.
 *
 * Runs before the support checks, which report reasoning without its state for providers that do not accept it.
 */
export function dropForeignState(draft: Draft, { model }: Pick<PlanningContext, "model">): Draft {
  const hasForeign = ({ providerState }: Part) => isForeign(providerState, model);
  if (!draft.request.messages.some(({ parts }) => parts.some(hasForeign))) return draft;
  const withoutForeign = (entry: DraftMessage): DraftMessage =>
    withParts(
      entry,
      draftParts(entry).map((each) => (hasForeign(each.part) ? { ...each, part: withoutState(each.part) } : each)),
    );
  return withMessages(draft, draftMessages(draft).map(withoutForeign));
}

/** Whether another provider or model made a provider state. */
export function isForeign(state: ProviderState | undefined, { provider, providerModel }: Model): boolean {
  return state !== undefined && (state.provider !== provider || (state.model !== "" && state.model !== providerModel));
}

function withoutState({ providerState: _, ...rest }: Part): Part {
  return rest;
}

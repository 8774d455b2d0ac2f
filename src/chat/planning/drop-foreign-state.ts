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
export function dropForeignState(draft: Draft, target: StateTarget & Pick<PlanningContext, "accepts">): Draft {
  const hasForeign = ({ kind, providerState }: Part) =>
    isForeign(providerState, target) &&
    !(kind.case === "reasoning" && isClaudes(providerState) && target.accepts.has("claude_signatures"));
  if (!draft.request.messages.some(({ parts }) => parts.some(hasForeign))) return draft;
  const withoutForeign = (entry: DraftMessage): DraftMessage =>
    withParts(
      entry,
      draftParts(entry).map((each) => (hasForeign(each.part) ? { ...each, part: withoutState(each.part) } : each)),
    );
  return withMessages(draft, draftMessages(draft).map(withoutForeign));
}

/** The model that gets a state, and the provider whose API its provider has. */
export interface StateTarget {
  readonly model: Pick<Model, "provider" | "providerModel">;
  readonly dialect?: string | undefined;
}

/**
 * Whether another provider or model made a provider state. A state that names no model fits every provider with the API
 * of its provider.
 */
export function isForeign(state: ProviderState | undefined, { model, dialect }: StateTarget): boolean {
  if (state === undefined) return false;
  if (state.model === "") return state.provider !== model.provider && state.provider !== dialect;
  return state.provider !== model.provider || state.model !== model.providerModel;
}

/** Whether a state can be of Claude at any host, as callers of Anthropic's API send it. */
function isClaudes(state: ProviderState | undefined): boolean {
  return state?.provider === "anthropic" && state.model === "";
}

function withoutState({ providerState: _, ...rest }: Part): Part {
  return rest;
}

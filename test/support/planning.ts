import type { Adaptation } from "../../src/chat/planning/adaptations.ts";
import { applyAdaptations as applyTo } from "../../src/chat/planning/apply-adaptations.ts";
import { ownWords } from "../../src/chat/planning/caller-words.ts";
import { adapt, startDraft } from "../../src/chat/planning/draft.ts";
import { dropForeignState } from "../../src/chat/planning/drop-foreign-state.ts";
import { keepLastMessages } from "../../src/chat/planning/memory.ts";
import type { Profile } from "../../src/chat/planning/profile.ts";
import { type ProfileTexts, profileTexts } from "../../src/chat/planning/profile-texts.ts";
import { placeSystemText } from "../../src/chat/planning/system-text.ts";
import { type FieldPath, formatPath } from "../../src/field-path.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";

/** Returns the request as the adapter gets it, and the warnings with their fields as text. */
export function applyAdaptations(
  request: ChatRequest,
  found: readonly Adaptation[],
  defaulted: readonly FieldPath[] = [],
) {
  const draft = applyTo({ ...adapt(startDraft(request), found), defaulted });
  const warnings = draft.warnings.map(({ field, ...warning }) => ({ ...warning, field: formatPath(field) }));
  return { request: draft.request, warnings };
}

/** Returns the phrases about a profile that the request sets. */
export function textsOf({ name }: Profile): ProfileTexts {
  return profileTexts(name, "request", ownWords);
}

/** Returns the draft of a request after the planning steps for memory and the system prompt. */
export function prepareDraft(request: ChatRequest, model: Model, profile: Profile) {
  return placeSystemText(dropForeignState(keepLastMessages(startDraft(request)), { model, accepts: new Set() }), {
    model,
    profile,
  });
}

/** Returns a request with its messages as they are sent. */
export function prepareMessages(request: ChatRequest, model: Model, profile: Profile): ChatRequest {
  return prepareDraft(request, model, profile).request;
}

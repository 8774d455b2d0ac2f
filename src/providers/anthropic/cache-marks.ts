import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { claudeBreakpoints, type HintPlace, type HintRules, keptHints, lifeOf } from "../kit/cache-hints.ts";
import type { CacheControl } from "./wire.ts";

/** A block's `cache_control`, if it has one. */
export interface Mark {
  readonly cache_control?: CacheControl;
}

/** Returns the `cache_control` of a tool or part. Empty without a hint, and for all but the last four hints. */
export type Marker = (...place: HintPlace) => Mark;

export const anthropicHints: HintRules = { title: "Anthropic", most: claudeBreakpoints, hasLives: true };

export function createMarker(request: ChatRequest): Marker {
  const kept = keptHints(request, anthropicHints);
  return (...place) => {
    const hint = kept(...place);
    return hint === undefined ? {} : { cache_control: { type: "ephemeral", ...lifeOf(hint) } };
  };
}

/** Returns a mark as the member of a block that is JSON text. */
export function markMembers({ cache_control: control }: Mark): readonly (readonly [name: string, text: string])[] {
  return control === undefined ? [] : [["cache_control", JSON.stringify(control)]];
}

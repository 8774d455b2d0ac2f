import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint } from "../../gen/dragoman/v1/message_pb.js";
import { keptHints, lifeOf } from "../kit/cache-hints.ts";
import type { CacheControl } from "./wire.ts";

/** A block's `cache_control`, if it has one. */
export interface Mark {
  readonly cache_control?: CacheControl;
}

/** Returns a block's `cache_control` for its cache hint. Empty without a hint, and for all but the last four hints. */
export type Marker = (hint: CacheHint | undefined) => Mark;

export function createMarker(request: ChatRequest): Marker {
  const kept = keptHints(request);
  return (hint) => (hint && kept.has(hint) ? { cache_control: { type: "ephemeral", ...lifeOf(hint) } } : {});
}

/** Returns a mark as the member of a block that is JSON text. */
export function markMembers({ cache_control: control }: Mark): readonly (readonly [name: string, text: string])[] {
  return control === undefined ? [] : [["cache_control", JSON.stringify(control)]];
}

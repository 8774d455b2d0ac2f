import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint } from "../../gen/dragoman/v1/message_pb.js";
import { keptHints, lifeOf } from "../kit/cache-hints.ts";
import type { CacheControl } from "./wire.ts";

/** Returns a block's `cache_control` for its cache hint. Empty without a hint, and for all but the last four hints. */
export type Marker = (hint: CacheHint | undefined) => { readonly cache_control?: CacheControl };

export function createMarker(request: ChatRequest): Marker {
  const kept = keptHints(request);
  return (hint) => (hint && kept.has(hint) ? { cache_control: { type: "ephemeral", ...lifeOf(hint) } } : {});
}

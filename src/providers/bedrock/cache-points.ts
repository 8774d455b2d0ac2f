import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint } from "../../gen/dragoman/v1/message_pb.js";
import { keptHints, lifeOf } from "../kit/cache-hints.ts";
import type { ModelRules } from "./model-rules.ts";
import type { CachePoint } from "./wire.ts";

/**
 * Returns the cache point (prompt cache breakpoint) to put after a block with this cache hint. Empty without a hint, if
 * the model does not support cache points, and for all but the last four hints.
 */
export type Marker = (hint: CacheHint | undefined) => readonly CachePoint[];

export function createMarker(request: ChatRequest, { marks }: ModelRules): Marker {
  const kept: ReadonlySet<CacheHint> = marks ? keptHints(request) : new Set();
  return (hint) => (hint && kept.has(hint) ? [{ cachePoint: { type: "default", ...lifeOf(hint) } }] : []);
}

import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint, Part } from "../../gen/dragoman/v1/message_pb.js";
import { type PlacedPart, partsOf } from "../upstream/limits.ts";
import type { CacheControl } from "./wire.ts";

/** A request may hold this many marks. */
export const mostMarks = 4;

/** Turns a cache hint into the mark of a block. */
export type Marker = (hint: CacheHint | undefined) => { readonly cache_control?: CacheControl };

/** The paths of the hints of a request, in the order of the prompt: those that have a block to go to, and those without. */
export function hintsOf({ tools, messages }: ChatRequest): {
  readonly placed: readonly string[];
  readonly lost: readonly string[];
} {
  const onTools = tools.flatMap(({ cacheHint }, index) => (cacheHint ? [`tools[${index}].cache_hint`] : []));
  const onParts = partsOf(messages).filter(({ part }) => part.cacheHint !== undefined);
  const paths = (parts: readonly PlacedPart[]) => parts.map(({ path }) => `${path}.cache_hint`);
  return {
    placed: [...onTools, ...paths(onParts.filter(({ part }) => !isUnmarkable(part)))],
    lost: paths(onParts.filter(({ part }) => isUnmarkable(part))),
  };
}

/** Thoughts take no mark, and empty text is not sent. */
function isUnmarkable({ kind }: Part): boolean {
  return kind.case === "reasoning" || ((kind.case === "text" || kind.case === "refusal") && kind.value === "");
}

/**
 * A marker for one request, to be asked in the order of the prompt: tools, then messages. Of too many hints the last
 * ones are kept, which cover the longest beginnings.
 */
export function createMarker(request: ChatRequest): Marker {
  let surplus = hintsOf(request).placed.length - mostMarks;
  return (hint) => {
    if (hint === undefined || surplus-- > 0) return {};
    if (hint.ttl === undefined) return { cache_control: { type: "ephemeral" } };
    // Five minutes, or an hour for more: the API has no other lives.
    return { cache_control: { type: "ephemeral", ttl: hint.ttl.seconds > 300n ? "1h" : "5m" } };
  };
}

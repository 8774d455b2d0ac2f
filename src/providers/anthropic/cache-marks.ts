import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint, Part } from "../../gen/dragoman/v1/message_pb.js";
import type { CacheControl } from "./wire.ts";

/** A request may hold this many marks. */
export const mostMarks = 4;

/** Turns a cache hint into the mark of a block. */
export type Marker = (hint: CacheHint | undefined) => { readonly cache_control?: CacheControl };

/** How many hints of a request have a block to go to, and how many have none. */
export function countHints({ tools, messages }: ChatRequest): { readonly placed: number; readonly lost: number } {
  const hinted = messages.flatMap(({ parts }) => parts).filter(({ cacheHint }) => cacheHint !== undefined);
  const lost = hinted.filter(isUnmarkable).length;
  const onTools = tools.filter(({ cacheHint }) => cacheHint !== undefined).length;
  return { placed: onTools + hinted.length - lost, lost };
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
  let surplus = countHints(request).placed - mostMarks;
  return (hint) => {
    if (hint === undefined || surplus-- > 0) return {};
    if (hint.ttl === undefined) return { cache_control: { type: "ephemeral" } };
    // Five minutes, or an hour for more: the API has no other lives.
    return { cache_control: { type: "ephemeral", ttl: hint.ttl.seconds > 300n ? "1h" : "5m" } };
  };
}

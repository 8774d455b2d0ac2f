import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { lookUp } from "../../look-up.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/** How a choice ended. */
interface ChoiceEnd {
  readonly reason: FinishReason;
  /** The provider's word for it; empty if it sent none. */
  readonly word: string;
}

/**
 * Returns how a choice ended. A choice without a finish reason ends with the content filter's error, if there was one;
 * otherwise its reason is UNSPECIFIED. A word that is not in `reasons` is OTHER; some servers write them in upper case.
 */
export function choiceEnd(
  word: string,
  reasons: Readonly<Record<string, FinishReason>>,
  call: UpstreamCall,
): ChoiceEnd {
  if (word !== "") {
    return { reason: lookUp(reasons, word) ?? lookUp(reasons, word.toLowerCase()) ?? FinishReason.OTHER, word };
  }
  if (call.filter !== "") return { reason: FinishReason.CONTENT_FILTER, word: call.filter };
  return { reason: FinishReason.UNSPECIFIED, word: "" };
}

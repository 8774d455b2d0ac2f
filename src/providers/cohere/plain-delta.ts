import { isFields } from "../kit/metadata.ts";
import { indexIn, soleMember, soleText } from "../kit/sole-member.ts";
import type { CohereEvent } from "./wire.ts";

/**
 * Returns a plain event, which only appends text to a content block, or arguments to a call; undefined for any other
 * event. Nearly all events are plain. They need neither the schema nor the search for unknown members.
 */
export function plainDelta(event: unknown): CohereEvent | undefined {
  if (!isFields(event)) return undefined;
  const { type, index: given, delta } = event;
  if (type !== "content-delta" && type !== "tool-call-delta") return undefined;
  for (const name in event) if (name !== "type" && name !== "index" && name !== "delta") return undefined;
  const index = indexIn(given);
  const message = soleMember(delta, "message");
  if (index === undefined) return undefined;
  if (type === "content-delta") {
    const text = soleText(soleMember(message, "content"), "text");
    return text === undefined ? undefined : { type, index, delta: { message: { content: { text } } } };
  }
  const value = soleText(soleMember(soleMember(message, "tool_calls"), "function"), "arguments");
  return value === undefined
    ? undefined
    : { type, index, delta: { message: { tool_calls: { function: { arguments: value } } } } };
}

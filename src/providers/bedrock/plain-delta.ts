import { isFields } from "../kit/metadata.ts";
import { indexIn, soleMember, soleText } from "../kit/sole-member.ts";
import type { Payload } from "./wire.ts";

/**
 * Returns the payload of a plain event, which only appends text or input to a block; undefined for any other event.
 * Nearly all events are plain. They need neither the schema nor the search for unknown members.
 */
export function plainDelta(payload: unknown): Payload | undefined {
  if (!isFields(payload)) return undefined;
  for (const name in payload) if (name !== "contentBlockIndex" && name !== "delta" && name !== "p") return undefined;
  const contentBlockIndex = indexIn(payload.contentBlockIndex);
  if (contentBlockIndex === undefined) return undefined;
  const text = soleText(payload.delta, "text");
  if (text !== undefined) return { contentBlockIndex, delta: { text } };
  const input = soleText(soleMember(payload.delta, "toolUse"), "input");
  return input === undefined ? undefined : { contentBlockIndex, delta: { toolUse: { input } } };
}

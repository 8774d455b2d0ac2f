import { isFields } from "../kit/metadata.ts";
import { indexIn } from "../kit/sole-member.ts";

/** Text delta of a message. */
interface PlainDelta {
  readonly index: number;
  readonly contentIndex: number;
  readonly text: string;
}

/** Members of the event that are allowed with any value, or that `plainDelta` reads. */
const plainMembers: ReadonlySet<string> = new Set([
  ...["type", "sequence_number", "item_id", "output_index", "content_index", "delta", "logprobs", "obfuscation"],
]);

/**
 * Returns the text of a plain event, which only appends to a text; undefined for any other event. Nearly all events are
 * plain. They need neither the schema nor the search for unknown members.
 */
export function plainDelta(value: unknown): PlainDelta | undefined {
  if (!isFields(value) || value.type !== "response.output_text.delta") return undefined;
  for (const name in value) if (!plainMembers.has(name)) return undefined;
  const { delta, logprobs } = value;
  const index = indexIn(value.output_index);
  const contentIndex = indexIn(value.content_index);
  if (index === undefined || contentIndex === undefined || typeof delta !== "string") return undefined;
  const isEmpty = logprobs === undefined || logprobs === null || (Array.isArray(logprobs) && logprobs.length === 0);
  return isEmpty ? { index, contentIndex, text: delta } : undefined;
}

import { isFields } from "../kit/metadata.ts";
import { indexIn } from "../kit/sole-member.ts";

/** A text that appends to a block. */
export interface PlainDelta {
  readonly index: number;
  /** Field of the delta that has the text. */
  readonly field: string;
  readonly text: string;
}

/** Fields of a delta that append to a block. */
const appending: ReadonlySet<string> = new Set(["text", "thinking", "partial_json"]);

/**
 * Returns the delta of a plain event, which only appends a text to a block; undefined for any other event. Nearly all
 * events are plain. They need neither the schema nor the search for unknown members, which together take half of the
 * adapter's time per delta.
 */
export function plainDelta(event: unknown): PlainDelta | undefined {
  if (!isFields(event) || event.type !== "content_block_delta") return undefined;
  for (const name in event) if (name !== "type" && name !== "index" && name !== "delta") return undefined;
  const index = indexIn(event.index);
  const { delta } = event;
  if (index === undefined || !isFields(delta)) return undefined;
  let field: string | undefined;
  for (const name in delta) {
    if (name === "type" || name === "estimated_tokens") continue;
    if (field !== undefined || !appending.has(name)) return undefined;
    field = name;
  }
  const text = field === undefined ? undefined : delta[field];
  return field !== undefined && typeof text === "string" && text !== "" ? { index, field, text } : undefined;
}

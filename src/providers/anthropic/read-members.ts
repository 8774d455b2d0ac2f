import { isFields } from "../kit/metadata.ts";
import { membersByType, type Unread } from "../kit/unread.ts";

// Members of the stream's events that need no warning. The events that are not listed carry their members as metadata,
// and the blocks that are not listed carry theirs as provider state.

const events = membersByType({
  message_start: { type: true, message: true },
  content_block_start: { type: true, index: true, content_block: true },
  content_block_delta: { type: true, index: true, delta: true },
  content_block_stop: { type: true, index: true },
});

const blocks = membersByType({
  text: { type: true, text: true, citations: true },
  thinking: { type: true, thinking: true, signature: true },
  redacted_thinking: { type: true, data: true },
});

/** `estimated_tokens` is a hint of the progress, and no count. */
const thinking = { type: true, thinking: true, signature: true, estimated_tokens: true } as const;

const deltas = membersByType({
  text_delta: { type: true, text: true },
  citations_delta: { type: true, citation: true },
  thinking_delta: thinking,
  signature_delta: thinking,
  input_json_delta: { type: true, partial_json: true },
});

/** Names the members of an event, its block and its delta that this version does not know. */
export function nameUnknownMembers(unread: Unread, type: string, event: unknown): void {
  const known = events.get(type);
  if (known === undefined || !isFields(event)) return;
  unread.addMembers(event, known);
  const { delta, content_block: block } = event;
  if (isFields(delta)) unread.addMembers(delta, deltas.get(String(delta.type)));
  else if (isFields(block)) unread.addMembers(block, blocks.get(String(block.type)));
}

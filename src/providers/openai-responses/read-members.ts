import { hasValue, isFields } from "../kit/metadata.ts";
import { members, type Unread } from "../kit/unread.ts";

// Members that need no warning. Most items are provider state, with all of their members.

/** Members of the events. Those that repeat other events, such as `text` at the end of a text, need no warning. */
export const eventMembers = members("an event", {
  ...{ type: true, sequence_number: true, item_id: true, output_index: true, content_index: true },
  ...{ summary_index: true, annotation_index: true, command_index: true, partial_image_index: true },
  ...{ delta: true, logprobs: true, item: true, response: true, annotation: true, part: true },
  ...{ text: true, refusal: true, name: true, arguments: true, input: true, code: true, command: true },
  ...{ output: true },
  // Whether a summary is cut off, as its text shows; padding; and an image before it is complete.
  ...{ status: true, obfuscation: true, partial_image_b64: true },
  ...{ background: true, output_format: true, quality: true, size: true },
});

export const contentMembers = members("a content", {
  ...{ type: true, text: true, annotations: true, logprobs: true, refusal: true },
});

const message = members("message", { type: true, id: true, status: true, role: true, phase: true, content: true });

/** `namespace`, `caller` and `async` are provider state. */
const call = members("a call", {
  ...{ type: true, id: true, status: true, call_id: true, name: true, arguments: true, input: true },
  ...{ namespace: true, caller: true, async: true },
});

/** Members of the items that do not become provider state as a whole. */
export const itemMembers = new Map([
  ["message", message],
  ["function_call", call],
  ["custom_tool_call", call],
]);

/** Maximum levels of a value that are compared. */
const mostLevels = 32;

/** Names the members of an item that another event about the same item has, and the item itself lacks. */
export function nameNewMembers(unread: Unread, item: unknown, other: unknown, place: string, levels = 0): void {
  if (levels > mostLevels) return;
  if (Array.isArray(item) && Array.isArray(other)) {
    for (const [index, value] of other.entries()) nameNewMembers(unread, item[index], value, place, levels + 1);
  }
  if (!isFields(item) || !isFields(other)) return;
  for (const name in other) {
    if (Object.hasOwn(item, name)) nameNewMembers(unread, item[name], other[name], place, levels + 1);
    else if (hasValue(other[name])) unread.add(`the field ${name.slice(0, 64)}`, place);
  }
}

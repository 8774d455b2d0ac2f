import { members, membersByType } from "../kit/unread.ts";

// Members of content that need no warning. Unknown ones of a chunk, a choice or a message are metadata. Source:
// @mistralai/mistralai 2.7.0, esm/models/components.

/** `closed` and `detail` repeat requests; `tool` and `favicon` name and decorate the tool that found a source. */
export const contentMembers = membersByType({
  text: { type: true, text: true },
  thinking: { type: true, thinking: true, signature: true, closed: true },
  reference: { type: true, reference_ids: true },
  tool_reference: { type: true, url: true, title: true, description: true, tool: true, favicon: true },
  image_url: { type: true, image_url: { url: true, detail: true } },
  document_url: { type: true, document_url: { url: true }, document_name: true },
  file: { type: true, file_id: true },
});

export const thinkingMembers = members("thinking", { type: true, text: true });

import { members } from "../kit/unread.ts";

// Members inside the fields of a message that need no warning. Unknown fields of a chunk, a choice or a message are
// metadata. Sources: the types of openai 7.55.0, and OpenRouter's documents for images and files.

export const textMembers = members("content", { type: true, text: true });

const image = { type: true, index: true, image_url: { url: true, detail: true } } as const;

export const imageMembers = members("image", image);

/** Positions, and the names that OpenAI's Responses give to the same fields. */
const url = { url: true, title: true, content: true, start_index: true, end_index: true } as const;

export const annotationMembers = members("annotation", { type: true, url_citation: url, ...url });

export const audioMembers = members("audio", { id: true, data: true, transcript: true, expires_at: true });

export const timeMembers = members("time_info", {
  ...{ queue_time: true, prompt_time: true, completion_time: true, total_time: true, created: true },
});

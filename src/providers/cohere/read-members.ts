import { membersByType } from "../kit/unread.ts";

// Members of the stream's events that need no warning. `content`, `citations` and `message-end` carry theirs as
// metadata or provider state. Source: cohere-ai 8.1.0, serialization/types/Chat*Event*.d.ts.

const event = { type: true, id: true, index: true } as const;

/** `token_ids` are numbers of tokens whose text is carried. */
const logprobs = { text: true, logprobs: true, token_ids: true } as const;
const content = { ...event, delta: { message: { content: true } }, logprobs } as const;
const call = {
  ...event,
  delta: { message: { tool_calls: { id: true, type: true, function: { name: true, arguments: true } } } },
} as const;

export const eventMembers = membersByType({
  "message-start": { ...event, delta: { message: { role: true } } },
  "content-start": content,
  "content-delta": content,
  "content-end": event,
  "tool-plan-delta": { ...event, delta: { message: { tool_plan: true } } },
  "tool-call-start": call,
  "tool-call-delta": call,
  "tool-call-end": event,
  "citation-start": { ...event, delta: { message: { citations: true } } },
  "citation-end": event,
  "message-end": { ...event, delta: true },
});

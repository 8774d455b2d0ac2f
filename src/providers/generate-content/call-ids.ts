import { randomUUID } from "node:crypto";

// The API omits the id of some tool calls, and Dragoman generates one. The prefix marks generated ids, which Dragoman
// never sends, because the API would treat them as its own.
const prefix = "call_gemini_";

export function newCallId(): string {
  return prefix + randomUUID().replaceAll("-", "");
}

/** Returns `{ id }`, or an empty object for an id that Dragoman generated. */
export function wireId(id: string): { readonly id?: string } {
  return id.startsWith(prefix) ? {} : { id };
}

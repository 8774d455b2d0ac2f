import { randomUUID } from "node:crypto";

// The API gives some calls no id. Ids that were made here are known by their beginning and never sent: the API would take
// them for its own.
const beginning = "call_gemini_";

export function newCallId(): string {
  return beginning + randomUUID().replaceAll("-", "");
}

/** The id as the API knows it, to be spread; nothing for a call that it gave none. */
export function wireId(id: string): { readonly id?: string } {
  return id.startsWith(beginning) ? {} : { id };
}

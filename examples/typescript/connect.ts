// The client of all examples. In a project of your own, import it from "dragoman/client" (docs/clients.md).

import { readFileSync } from "node:fs";
import { createDragomanClient, type Message, Role } from "../../src/client/index.ts";

const { DRAGOMAN_ADDRESS = "127.0.0.1:50051", DRAGOMAN_API_KEY, DRAGOMAN_CA } = process.env;

export const { chat: client } = createDragomanClient(DRAGOMAN_ADDRESS, {
  apiKey: DRAGOMAN_API_KEY || undefined,
  tls: DRAGOMAN_CA ? { ca: readFileSync(DRAGOMAN_CA) } : false,
});

/** Returns a message of the user. */
export function user(text: string) {
  return { role: Role.USER, parts: [{ kind: { case: "text" as const, value: text } }] };
}

/** Returns the text of a message. It skips parts of other kinds, also of kinds that later versions add. */
export function textOf(message: Message | undefined): string {
  return (message?.parts ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}

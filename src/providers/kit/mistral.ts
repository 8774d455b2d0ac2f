import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import { emulated } from "./adaptations.ts";

/**
 * Matches Mistral's models by their names at any host: Mistral, Mixtral, Ministral, Magistral, Codestral, Pixtral, …
 */
export const mistralNames = /(?:(?<![au])str|xtr)al/i;

/**
 * Message to insert between a tool result and a user or system message. Otherwise Mistral's API returns code 3230, and
 * servers with Mistral's tokenizer "Unexpected role 'user' after role 'tool'".
 */
export const bridge = { role: "assistant", content: "OK." } as const;

/** Reports that the adapter inserts `bridge`. */
export function* bridgeAdaptations(messages: readonly Message[]): Generator<Adaptation> {
  const isOutOfOrder = ({ role }: Message, index: number) =>
    role !== Role.TOOL && role !== Role.ASSISTANT && messages[index - 1]?.role === Role.TOOL;
  const outOfOrder = messages.findIndex(isOutOfOrder);
  if (outOfOrder < 0) return;
  const message = "Mistral requires an assistant message after a tool result; Dragoman inserts one with the text OK";
  yield emulated(["messages", outOfOrder, "role"], message);
}

/** Inserts `bridge` after each tool result before a message of another role than tool and assistant. */
export function withBridges<Sent extends { readonly role: string }>(
  messages: readonly Sent[],
): readonly (Sent | typeof bridge)[] {
  return messages.flatMap((message, index) => {
    const isBefore = messages[index - 1]?.role === "tool" && message.role !== "assistant" && message.role !== "tool";
    return isBefore ? [bridge, message] : [message];
  });
}

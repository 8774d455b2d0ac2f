import { type Message, Role } from "../gen/dragoman/v1/message_pb.js";
import { isSystem } from "./request-rules.ts";

/**
 * The last k messages. System messages are kept besides, where they stood, and are not counted (behaviour of the EGP
 * API, seeds 000 and 001). When the cut would part a tool result from its call, it moves back to the call, so that a
 * few more than k messages may be left: providers refuse a result without its call.
 */
export function keepLast(messages: readonly Message[], k: number): readonly Message[] {
  let begin = messages.length;
  for (let counted = 0; begin > 0 && counted < k; begin--) {
    const message = messages[begin - 1];
    if (message !== undefined && !isSystem(message)) counted++;
  }
  while (begin > 0 && messages[begin]?.role === Role.TOOL) begin--;
  return messages.filter((message, index) => index >= begin || isSystem(message));
}

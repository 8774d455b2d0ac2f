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
  return from(messages, withCall(messages, begin));
}

/**
 * Leaves out as few of the oldest messages as make the rest fit. System messages and the last message stay, with the
 * call that a last tool result answers; when not even they fit, they are what is left. `fits` is asked about
 * log2(messages) times.
 */
export async function trimOldest(
  messages: readonly Message[],
  fits: (kept: readonly Message[]) => Promise<boolean>,
): Promise<readonly Message[]> {
  // The places where the rest may begin: never between a call and its results.
  const begins = messages.flatMap((message, index) => (isSystem(message) || message.role === Role.TOOL ? [] : [index]));
  let [low, high] = [0, Math.max(0, begins.length - 1)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(from(messages, begins[middle] ?? 0))) high = middle;
    else low = middle + 1;
  }
  return from(messages, low === 0 ? 0 : (begins[low] ?? 0));
}

/** The messages from a place on, and the system messages before it. */
function from(messages: readonly Message[], begin: number): readonly Message[] {
  return messages.filter((message, index) => index >= begin || isSystem(message));
}

function withCall(messages: readonly Message[], begin: number): number {
  let moved = begin;
  while (moved > 0 && messages[moved]?.role === Role.TOOL) moved--;
  return moved;
}

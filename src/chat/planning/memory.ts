import type { Message } from "../../gen/dragoman/v1/message_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import { type Draft, keepMessages } from "./draft.ts";

/**
 * Keeps the last k messages, where the caller asks for it.
 *
 * Before system text is placed: neither instructions nor joined messages count.
 */
export function keepLastMessages(draft: Draft): Draft {
  const strategy = draft.request.memoryStrategy?.strategy;
  if (strategy?.case !== "lastK") return draft;
  return keepMessages(draft, lastMessages(draft.request.messages, strategy.value.k));
}

/**
 * Indexes of the last k messages. System messages are kept besides, where they stood, and are not counted (behaviour of the EGP
 * API, seeds 000 and 001). When the cut would part a tool result from its call, it moves back to the call, so that a
 * few more than k messages may be left: providers reject a result without its call.
 */
export function lastMessages(messages: readonly Message[], k: number): readonly number[] {
  let begin = messages.length;
  for (let counted = 0; begin > 0 && counted < k; begin--) {
    const message = messages[begin - 1];
    if (message !== undefined && !isSystem(message)) counted++;
  }
  const parted = partedAt(messages);
  while (parted[begin]) begin--;
  return from(messages, begin);
}

/**
 * Indexes of the messages that are left when as few of the oldest as make the rest fit are left out. System messages and the last message stay, with the
 * call that a last tool result answers; when not even they fit, they are what is left. `fits` is asked about
 * log2(messages) times.
 */
export async function trimOldest(
  messages: readonly Message[],
  fits: (kept: readonly number[]) => Promise<boolean>,
): Promise<readonly number[]> {
  const parted = partedAt(messages);
  const begins = messages.flatMap((message, index) => (isSystem(message) || parted[index] ? [] : [index]));
  let [low, high] = [0, Math.max(0, begins.length - 1)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(from(messages, begins[middle] ?? 0))) high = middle;
    else low = middle + 1;
  }
  return from(messages, low === 0 ? 0 : (begins[low] ?? 0));
}

/** Indexes from a place on, and those of the system messages before it. */
function from(messages: readonly Message[], begin: number): readonly number[] {
  return messages.flatMap((message, index) => (index >= begin || isSystem(message) ? index : []));
}

/** Whether a cut before each message would part a call of a tool from a result of it, however far apart they are. */
function partedAt(messages: readonly Message[]): readonly boolean[] {
  const calls = new Map<string, number>();
  for (const [index, { parts }] of messages.entries()) {
    for (const { kind } of parts) if (kind.case === "toolCall") calls.set(kind.value.id, index);
  }
  let earliest = messages.length;
  const parted: boolean[] = [];
  for (const [index, { parts }] of [...messages.entries()].reverse()) {
    for (const { kind } of parts) {
      if (kind.case === "toolResult") earliest = Math.min(earliest, calls.get(kind.value.toolCallId) ?? index);
    }
    parted[index] = earliest < index;
  }
  return parted;
}

import type { Message } from "../../gen/dragoman/v1/message_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import { type Draft, keepMessages } from "./draft.ts";

/**
 * Keeps the last k messages if the caller sets the memory strategy `last_k`.
 *
 * Runs before `placeSystemText`, so that k counts neither instructions nor merged messages.
 */
export function keepLastMessages(draft: Draft): Draft {
  const strategy = draft.request.memoryStrategy?.strategy;
  if (strategy?.case !== "lastK") return draft;
  return keepMessages(draft, lastMessages(draft.request.messages, strategy.value.k));
}

/**
 * Returns the indexes of the last k messages. Like the Scale EGP chat completions API, it also keeps all system
 * messages and does not count them. Keeps more than k messages if the cut would separate a tool result from its call:
 * providers reject a result without its call.
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
 * Drops as few of the oldest messages as possible until the others fit, and returns the indexes of the others. Always
 * keeps the system messages and the last message (for a tool result, from its call on), even if they do not fit. Calls
 * `fits` about log2(messages) times.
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

/** Returns the indexes from `begin` on, and those of the system messages before it. */
function from(messages: readonly Message[], begin: number): readonly number[] {
  return messages.flatMap((message, index) => (index >= begin || isSystem(message) ? index : []));
}

/** For each message, whether a cut before it would separate any earlier tool call from its result. */
function partedAt(messages: readonly Message[]): readonly boolean[] {
  // A result belongs to the nearest call before it with its id.
  const calls = new Map<string, number>();
  const firstCalls = messages.map(({ parts }, index) => {
    let first = index;
    for (const { kind } of parts) {
      if (kind.case === "toolCall") calls.set(kind.value.id, index);
      if (kind.case === "toolResult") first = Math.min(first, calls.get(kind.value.toolCallId) ?? index);
    }
    return first;
  });
  let earliest = messages.length;
  const parted: boolean[] = [];
  for (const [index, first] of [...firstCalls.entries()].reverse()) {
    earliest = Math.min(earliest, first);
    parted[index] = earliest < index;
  }
  return parted;
}

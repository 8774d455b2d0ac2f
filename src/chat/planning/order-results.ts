import { Role } from "../../gen/dragoman/v1/message_pb.js";
import {
  type Draft,
  type DraftMessage,
  type DraftPart,
  draftMessages,
  draftParts,
  withMessages,
  withParts,
} from "./draft.ts";

/**
 * Puts the tool results of each turn into the order of their calls, and before the other messages of the turn. Callers
 * append results when a tool is done. APIs without tool call ids pair results with calls by their order, and most
 * others accept no message between a call and its results.
 *
 * Runs after `keepLastMessages`, which cuts the caller's conversation.
 */
export function orderResults(draft: Draft): Draft {
  if (!draft.request.messages.some(({ role }) => role === Role.TOOL)) return draft;
  const messages = draftMessages(draft);
  const ordered: DraftMessage[] = [];
  let calls = new Map<string, number>();
  let isChanged = false;
  for (let index = 0; index < messages.length; ) {
    const end = endOfTurn(messages, index);
    const turn = messages.slice(index, end);
    if (isAssistant(messages[index])) {
      calls = callOrder(turn);
      for (const entry of turn) ordered.push(entry);
    } else {
      const results = turn.filter(isResult);
      const others = turn.filter((entry) => !isResult(entry));
      const sorted = sortResults(results, calls);
      isChanged ||= sorted !== results || turn.some((entry, place) => place < results.length !== isResult(entry));
      for (const entry of sorted) ordered.push(entry);
      for (const entry of others) ordered.push(entry);
    }
    index = end;
  }
  return isChanged ? withMessages(draft, ordered) : draft;
}

/** Returns the index after the last of the messages that are, like the first one, the assistant's or not. */
function endOfTurn(messages: readonly DraftMessage[], begin: number): number {
  const isModels = isAssistant(messages[begin]);
  let end = begin + 1;
  while (end < messages.length && isAssistant(messages[end]) === isModels) end++;
  return end;
}

function isAssistant(entry: DraftMessage | undefined): boolean {
  return entry?.message.role === Role.ASSISTANT;
}

function isResult({ message }: DraftMessage): boolean {
  return message.role === Role.TOOL;
}

/** Returns the position of each tool call of a turn, by its id. */
function callOrder(turn: readonly DraftMessage[]): Map<string, number> {
  const positions = new Map<string, number>();
  for (const { message } of turn) {
    for (const { kind } of message.parts) if (kind.case === "toolCall") positions.set(kind.value.id, positions.size);
  }
  return positions;
}

/** Sorts the results of a turn. Each message keeps its number of results. Returns the same list if all are in order. */
function sortResults(
  messages: readonly DraftMessage[],
  positions: ReadonlyMap<string, number>,
): readonly DraftMessage[] {
  const positionOf = ({ part: { kind } }: DraftPart) =>
    (kind.case === "toolResult" ? positions.get(kind.value.toolCallId) : undefined) ?? positions.size;
  const parts = messages.flatMap(draftParts);
  const isSorted = parts.every(
    (part, index) => index === 0 || positionOf(parts[index - 1] ?? part) <= positionOf(part),
  );
  if (isSorted) return messages;
  const sorted = parts.toSorted((one, other) => positionOf(one) - positionOf(other));
  let begin = 0;
  return messages.map((entry) => {
    const { length } = entry.message.parts;
    begin += length;
    return withParts(entry, sorted.slice(begin - length, begin));
  });
}

import type { FieldPath } from "../../field-path.ts";
import type { Message, Part } from "../../gen/dragoman/v1/message_pb.js";
import { adaptOutgoing, type Draft, draftMessages, withMessages } from "./draft.ts";

/**
 * Makes the ids of tool calls unique. Some models return the same id in every turn, such as `call_0`, and some
 * providers reject a conversation with such ids.
 *
 * An id gets a suffix from its second call on. It depends only on earlier calls, so it is the same in each turn. A
 * result belongs to the latest message that calls its id: several results of an id in the order of the calls.
 *
 * Runs before every step that finds the call of a result.
 */
export function uniqueCallIds(draft: Draft): Draft {
  const repeated = firstRepeated(draft.request.messages);
  if (repeated === undefined) return draft;
  const ids = new Ids();
  const messages = draftMessages(draft).map(({ message, origin }) => {
    ids.beginMessage();
    const parts = message.parts.map((part) => withId(part, ids));
    return { message: { ...message, parts }, origin };
  });
  const message = "an earlier tool call has this id; Dragoman sends a unique one, for the call and its result";
  return withMessages(adaptOutgoing(draft, [{ kind: "EMULATED", field: repeated, message }]), messages);
}

/** Returns the path of the first id that an earlier call has. */
function firstRepeated(messages: readonly Message[]): FieldPath | undefined {
  const ids = new Set<string>();
  for (const [index, { parts }] of messages.entries()) {
    for (const [place, { kind }] of parts.entries()) {
      if (kind.case !== "toolCall") continue;
      if (ids.has(kind.value.id)) return ["messages", index, "parts", place, "tool_call", "id"];
      ids.add(kind.value.id);
    }
  }
  return undefined;
}

function withId(part: Part, ids: Ids): Part {
  const { kind } = part;
  switch (kind.case) {
    case "toolCall":
      return { ...part, kind: { case: "toolCall", value: { ...kind.value, id: ids.ofCall(kind.value.id) } } };
    case "toolResult": {
      const toolCallId = ids.ofResult(kind.value.toolCallId);
      return { ...part, kind: { case: "toolResult", value: { ...kind.value, toolCallId } } };
    }
    default:
      return part;
  }
}

/** Ids to send for the calls of one id. */
interface Calls {
  /** Number of calls so far. */
  count: number;
  /** Message of the latest call. */
  message: number;
  /** Ids of the calls in that message, in order. */
  sent: string[];
  /** Number of results for these calls so far. */
  results: number;
}

/** Assigns ids to calls and results in the order of the conversation. */
class Ids {
  readonly #taken = new Set<string>();
  readonly #calls = new Map<string, Calls>();
  #message = 0;

  beginMessage(): void {
    this.#message++;
  }

  ofCall(id: string): string {
    const calls = this.#calls.get(id) ?? { count: 0, message: 0, sent: [], results: 0 };
    this.#calls.set(id, calls);
    let sent: string;
    do sent = ++calls.count === 1 ? id : `${id}_${calls.count}`;
    while (this.#taken.has(sent));
    this.#taken.add(sent);
    if (calls.message !== this.#message) Object.assign(calls, { message: this.#message, sent: [], results: 0 });
    calls.sent.push(sent);
    return sent;
  }

  ofResult(id: string): string {
    const calls = this.#calls.get(id);
    return calls?.sent[calls.results++] ?? calls?.sent.at(-1) ?? id;
  }
}

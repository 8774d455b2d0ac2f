import { itemsOf, membersOf } from "../kit/json-text.ts";

/**
 * Yields the events of the stream that a whole message stands for, as JSON texts. Some proxies ignore `stream: true`.
 *
 * @param data the message as the server sent it
 */
export function* eventsOfMessage(data: string): Generator<string> {
  const members = membersOf(data);
  yield `{"type":"message_start","message":${data}}`;
  for (const [index, block] of itemsOf(members.get("content") ?? "").entries()) {
    yield `{"type":"content_block_start","index":${index},"content_block":${block}}`;
    yield `{"type":"content_block_stop","index":${index}}`;
  }
  const { stop_reason = "null", stop_sequence = "null" } = Object.fromEntries(members);
  yield `{"type":"message_delta","delta":{"stop_reason":${stop_reason},"stop_sequence":${stop_sequence}}}`;
}

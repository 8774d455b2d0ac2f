import { itemsOf, membersOf, objectOf } from "../kit/json-text.ts";

/** Members of a whole response that are not in `delta` of the event `message-end`. */
const otherMembers: ReadonlySet<string> = new Set(["id", "message"]);

/**
 * Yields the events of the stream that a whole response stands for, as JSON texts. Some proxies ignore `stream: true`.
 *
 * @param data the response as the server sent it
 */
export function* eventsOfMessage(data: string): Generator<string> {
  const members = membersOf(data);
  const message = new Map(membersOf(members.get("message") ?? ""));
  const event = (type: string, index: number, name: string, json: string) =>
    `{"type":"${type}","index":${index},"delta":{"message":{"${name}":${json}}}}`;
  yield `{"type":"message-start","id":${members.get("id") ?? "null"}}`;
  yield event("tool-plan-delta", 0, "tool_plan", message.get("tool_plan") ?? "null");
  for (const [index, json] of itemsOf(message.get("content") ?? "").entries()) {
    yield event("content-start", index, "content", json);
  }
  for (const [index, json] of itemsOf(message.get("citations") ?? "").entries()) {
    yield event("citation-start", index, "citations", json);
  }
  for (const [index, json] of itemsOf(message.get("tool_calls") ?? "").entries()) {
    yield event("tool-call-start", index, "tool_calls", json);
    yield `{"type":"tool-call-end","index":${index}}`;
  }
  const end = [...members].filter(([name]) => !otherMembers.has(name));
  yield `{"type":"message-end","delta":${objectOf(end)}}`;
}

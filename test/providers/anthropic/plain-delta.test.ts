import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { startAnswer, toEvents } from "../../../src/providers/anthropic/events.ts";
import { startCall } from "../../../src/upstream/upstream-call.ts";
import { context } from "../chat-completions/harness.ts";

function eventsOf(events: readonly object[], beside: object): readonly ChatEvent[] {
  const answer = startAnswer(startCall(context()));
  const batch: ChatEvent[] = [];
  for (const event of events) toEvents(answer, { data: JSON.stringify({ ...event, ...beside }) }, batch);
  return batch;
}

describe("a delta with only text", () => {
  it("yields the same events for deltas that differ only in their texts", () => {
    const start = (index: number, content_block: object) => ({ type: "content_block_start", index, content_block });
    const delta = (index: number, fields: object) => ({ type: "content_block_delta", index, delta: fields });
    const texts = ["Hello", " there,", ' a "quote"\nand \\ more', "{", "é\ud83d\ude00"];
    const events = [
      start(0, { type: "thinking", thinking: "" }),
      ...texts.map((thinking) => delta(0, { type: "thinking_delta", thinking })),
      start(1, { type: "text", text: "" }),
      ...texts.map((text) => delta(1, { type: "text_delta", text })),
      start(2, { type: "tool_use", id: "t1", name: "f", input: {} }),
      ...texts.map((partial_json) => delta(2, { type: "input_json_delta", partial_json })),
    ];
    // A further member forces the schema validation.
    expect(eventsOf(events, {})).toEqual(eventsOf(events, { beside: 1 }));
    expect(eventsOf(events, {})).toHaveLength(16);
  });
});

import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { endEvents, toEvents } from "../../../src/providers/chat-completions/events.ts";
import { emptyAnswer } from "./harness.ts";

/** Returns the metadata of the choice, and the number of its function calls. */
function read(...calls: readonly object[]): { readonly metadata: unknown; readonly functionCalls: number } {
  const state = emptyAnswer();
  const batch: ChatEvent[] = [];
  for (const call of calls) {
    const chunk = { choices: [{ index: 0, delta: { tool_calls: [call] } }] };
    toEvents(state, { data: JSON.stringify(chunk) }, batch);
  }
  const end = { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] };
  toEvents(state, { data: JSON.stringify(end) }, batch);
  endEvents(state, batch);
  const finished = batch.find((event) => event.case === "finished");
  const named = batch.flatMap((event) =>
    event.case === "delta" && event.value.delta.case === "toolCall" && event.value.delta.value.name ? [event] : [],
  );
  return { metadata: JSON.parse(finished?.value.providerMetadataJson || "{}"), functionCalls: named.length };
}

describe("tool calls that are no function calls", () => {
  it("are metadata, whatever they contain, and do not fail the response", () => {
    const begun = { index: 0, id: "c_1", type: "custom", custom: { name: "sql", input: "" } };
    const more = { index: 0, custom: { input: "SELECT 1" } };
    expect(read(begun, more, { index: 0 })).toEqual({ metadata: { tool_calls: [begun, more] }, functionCalls: 0 });
    const empty = { index: 0, id: "c_1", type: "a_future_type" };
    expect(read(empty, { index: 0 })).toEqual({ metadata: { tool_calls: [empty] }, functionCalls: 0 });
  });

  it("leave the function calls beside them as they are", () => {
    const custom = { index: 0, id: "c_1", type: "custom", custom: { name: "sql", input: "x" } };
    const own = { index: 1, id: "c_2", type: "function", function: { name: "f", arguments: "{}" } };
    expect(read(custom, own)).toEqual({ metadata: { tool_calls: [custom] }, functionCalls: 1 });
  });
});

describe("unknown fields of function calls", () => {
  it("are metadata with the index of their call", () => {
    const called = { name: "f", arguments: "{}", grammar: "g" };
    const call = { index: 0, id: "c_1", type: "function", function: called, extra_content: { google: { a: 1 } } };
    expect(read(call)).toEqual({
      metadata: { tool_calls: [{ index: 0, extra_content: { google: { a: 1 } }, function: { grammar: "g" } }] },
      functionCalls: 1,
    });
  });
});

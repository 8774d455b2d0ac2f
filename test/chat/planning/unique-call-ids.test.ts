import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { uniqueCallIds } from "../../../src/chat/planning/unique-call-ids.ts";
import { formatPath } from "../../../src/field-path.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";

type MessageInit = MessageInitShape<typeof MessageSchema>;

const calls = (...ids: string[]): MessageInit => ({
  role: Role.ASSISTANT,
  parts: ids.map((id) => ({ kind: { case: "toolCall", value: { id, name: "f" } } })),
});
const results = (...ids: string[]): MessageInit => ({
  role: Role.TOOL,
  parts: ids.map((toolCallId) => ({ kind: { case: "toolResult", value: { toolCallId } } })),
});

function planned(...messages: MessageInit[]) {
  const asked = startDraft(create(ChatRequestSchema, { messages }));
  const draft = uniqueCallIds(asked);
  return {
    isUnchanged: draft === asked,
    sent: draft.request.messages.map(({ parts }) =>
      parts.map(({ kind }) => {
        if (kind.case === "toolCall") return kind.value.id;
        return kind.case === "toolResult" ? kind.value.toolCallId : kind.case;
      }),
    ),
    warnings: draft.adaptations.map(({ kind, callersField }) => `${kind} ${formatPath(callersField)}`),
  };
}

describe("the ids of tool calls", () => {
  it("stay unchanged while they are unique", () => {
    const { isUnchanged, warnings } = planned(calls("a", "b"), results("b", "a"), calls("c"), results("c"));
    expect(isUnchanged).toBe(true);
    expect(warnings).toEqual([]);
  });

  it("become unique if a model returns the same id in every turn", () => {
    const { sent, warnings } = planned(calls("a"), results("a"), calls("a"), results("a"), calls("a"), results("a"));
    expect(sent).toEqual([["a"], ["a"], ["a_2"], ["a_2"], ["a_3"], ["a_3"]]);
    expect(warnings).toEqual(["EMULATED messages[2].parts[0].tool_call.id"]);
  });

  it("become unique within one message, with the results in the order of the calls", () => {
    const { sent } = planned(calls("a", "b", "a"), results("b", "a", "a", "a"));
    expect(sent).toEqual([
      ["a", "b", "a_2"],
      ["b", "a", "a_2", "a_2"],
    ]);
  });

  it("pass over an id that another call has", () => {
    const { sent } = planned(calls("a", "a_2"), results("a", "a_2"), calls("a"), results("a"));
    expect(sent.slice(2)).toEqual([["a_3"], ["a_3"]]);
  });

  it("do not depend on later turns", () => {
    const { sent } = planned(calls("a", "a"), results("a", "a"), calls("a_2"), results("a_2"));
    expect(sent).toEqual([["a", "a_2"], ["a", "a_2"], ["a_2_2"], ["a_2_2"]]);
  });

  it("match a result to the latest message that calls its id", () => {
    const { sent } = planned(calls("a"), calls("a"), results("a"));
    expect(sent).toEqual([["a"], ["a_2"], ["a_2"]]);
  });
});

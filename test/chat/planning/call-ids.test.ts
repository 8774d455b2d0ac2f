import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallIdRule } from "../../../src/chat/planning/call-id-rule.ts";
import { mapCallIds } from "../../../src/chat/planning/call-ids.ts";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { orderResults } from "../../../src/chat/planning/order-results.ts";
import { callersField } from "../../../src/chat/planning/origins.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import {
  anyCallIds,
  claudeCallIds,
  familyCallIds,
  mistralCallIds,
  openAiCallIds,
} from "../../../src/providers/kit/call-ids.ts";

const draftOf = (messages: readonly Message[]) => startDraft(create(ChatRequestSchema, { messages: [...messages] }));
const called = (...ids: readonly string[]): Message =>
  create(MessageSchema, {
    role: Role.ASSISTANT,
    parts: ids.map((id) => ({ kind: { case: "toolCall", value: { id, name: "f" } } as const })),
  });
const answered = (...ids: readonly string[]): Message =>
  create(MessageSchema, {
    role: Role.TOOL,
    parts: ids.map((toolCallId) => ({ kind: { case: "toolResult", value: { toolCallId } } as const })),
  });
const said = create(MessageSchema, { role: Role.USER, parts: [{ kind: { case: "text", value: "hi" } }] });

const idsOf = (messages: readonly Message[]) =>
  messages.map(({ parts }) =>
    parts.flatMap(({ kind }) => {
      if (kind.case === "toolCall") return [kind.value.id];
      return kind.case === "toolResult" ? [kind.value.toolCallId] : [];
    }),
  );

async function sentIds(messages: readonly Message[], callIds: CallIdRule | undefined) {
  return idsOf((await mapCallIds(draftOf(messages), { callIds })).request.messages);
}

/** Turns with calls and their results. Ids repeat in later turns. */
const turns = fc
  .array(fc.uniqueArray(fc.oneof(fc.constantFrom("0", "a_b", "a:b"), fc.string({ minLength: 1 })), { minLength: 1 }))
  .map((list) => list.flatMap((ids) => [called(...ids), answered(...ids)]));

describe("tool call ids that are sent", () => {
  it.each([
    ["OpenAI", openAiCallIds, /^[\s\S]{1,40}$/],
    ["Claude", claudeCallIds, /^[a-zA-Z0-9_-]{1,256}$/],
    ["Mistral", mistralCallIds, /^[a-zA-Z0-9]{9}$/],
    ["Bedrock", { maxLength: 64, punctuation: "_.:-" }, /^[a-zA-Z0-9_.:-]{1,64}$/],
    ["any API", anyCallIds, /^[\s\S]{1,8192}$/],
  ])("fit %s, are unique, and stay the same in a longer conversation", async (_, rule, pattern) => {
    await fc.assert(
      fc.asyncProperty(turns, async (messages) => {
        const sent = await sentIds(messages, rule);
        const calls = sent.filter((_, index) => index % 2 === 0);
        for (const id of calls.flat()) expect(id).toMatch(pattern);
        expect(new Set(calls.flat()).size).toBe(calls.flat().length);
        expect(sent.filter((_, index) => index % 2 === 1)).toEqual(calls);
        const begun = await sentIds(messages.slice(0, -2), rule);
        expect(sent.slice(0, begun.length)).toEqual(begun);
      }),
    );
  });

  it("are the caller's if they fit, or if there is no rule", async () => {
    const messages = [called("call_1"), answered("call_1"), called("call_2"), answered("call_2")];
    expect(await sentIds(messages, claudeCallIds)).toEqual(idsOf(messages));
    const repeated = [called("look:0"), answered("look:0"), called("look:0"), answered("look:0")];
    expect(await sentIds(repeated, undefined)).toEqual(idsOf(repeated));
  });

  it.each([
    ["anthropic/claude-sonnet-5", claudeCallIds],
    ["mistralai/Mixtral-8x7B-Instruct-v0.1", mistralCallIds],
    ["devstral-medium-2507", mistralCallIds],
    ["openai/gpt-5.2", openAiCallIds],
    ["o4-mini", openAiCallIds],
    ["openai/gpt-oss-120b", undefined],
    ["moonshotai/kimi-k3", undefined],
  ])("follow the family of %s at every host", (name, rule) => {
    expect(familyCallIds(name)).toBe(rule);
  });
});

describe("the results of a turn", () => {
  it("are in the order of their calls, and keep the fields of the caller", () => {
    const draft = orderResults(
      draftOf([said, called("a", "b", "c"), answered("c"), said, answered("b", "a"), called("a"), answered("a")]),
    );
    expect(idsOf(draft.request.messages)).toEqual([[], ["a", "b", "c"], ["a"], ["b", "c"], [], ["a"], ["a"]]);
    const fieldOf = (message: number, part: number) =>
      callersField(draft.origins, ["messages", message, "parts", part, "tool_result"]);
    expect(fieldOf(2, 0)).toEqual(["messages", 4, "parts", 1, "tool_result"]);
    expect(fieldOf(3, 1)).toEqual(["messages", 2, "parts", 0, "tool_result"]);
    expect(fieldOf(4, 0)).toEqual(["messages", 3, "parts", 0, "tool_result"]);
  });

  it("stay as they are if they are in order", () => {
    const draft = draftOf([said, called("a", "b"), answered("a"), answered("b"), said]);
    expect(orderResults(draft)).toBe(draft);
  });
});

import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lastMessages, trimOldest } from "../../../src/chat/planning/memory.ts";
import { isSystem } from "../../../src/chat/validation/request-rules.ts";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";

const say = (role: Role, text = "x"): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const call = (...ids: string[]): Message =>
  create(MessageSchema, {
    role: Role.ASSISTANT,
    parts: ids.map((id) => ({ kind: { case: "toolCall", value: { id, name: "f" } } as const })),
  });
const result = (...ids: string[]): Message =>
  create(MessageSchema, {
    role: Role.TOOL,
    parts: ids.map((toolCallId) => ({ kind: { case: "toolResult", value: { toolCallId } } as const })),
  });

/** Conversations in which a tool call precedes each result, directly or not. */
const conversations = fc
  .array(
    fc.oneof(
      fc.constantFrom(Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.ASSISTANT).map((role) => ({ role })),
      fc.constantFrom({ calls: 1 }, { calls: 2 }),
      fc.record({ answers: fc.nat() }),
    ),
    { maxLength: 12 },
  )
  .map((turns) => {
    const open: string[] = [];
    return turns.map((turn, index): Message => {
      if ("role" in turn) return say(turn.role);
      if ("calls" in turn) {
        const ids = Array.from({ length: turn.calls }, (_, place) => `${index}.${place}`);
        open.push(...ids);
        return call(...ids);
      }
      const [id] = open.splice(turn.answers % Math.max(1, open.length), 1);
      return id === undefined ? say(Role.USER) : result(id);
    });
  });

const idsOf = (messages: readonly Message[]) => {
  const parts = messages.flatMap((message) => message.parts);
  return {
    calls: parts.flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value.id] : [])),
    results: parts.flatMap(({ kind }) => (kind.case === "toolResult" ? [kind.value.toolCallId] : [])),
  };
};

/**
 * Expects that `kept` has all system messages, the original order, and no tool call without its result or vice versa.
 */
function expectWhole(kept: readonly Message[], messages: readonly Message[]): void {
  expect(kept).toEqual(messages.filter((message) => kept.includes(message)));
  expect(kept.filter(isSystem)).toEqual(messages.filter(isSystem));
  const { calls, results } = idsOf(kept);
  for (const id of results) expect(calls).toContain(id);
  for (const id of idsOf(messages).results) if (calls.includes(id)) expect(results).toContain(id);
}

/** Returns the messages after each possible cut that does not separate a tool call from its results. */
function cuts(messages: readonly Message[]): readonly (readonly Message[])[] {
  return messages.flatMap((message, begin) => {
    const kept = messages.filter((other, index) => index >= begin || isSystem(other));
    const { calls, results } = idsOf(kept);
    return isSystem(message) || results.some((id) => !calls.includes(id)) ? [] : [kept];
  });
}

const at = (messages: readonly Message[], indexes: readonly number[]) =>
  indexes.flatMap((index) => messages[index] ?? []);
const keepLast = (messages: readonly Message[], k: number) => at(messages, lastMessages(messages, k));

describe("keeping the last k messages", () => {
  it("keeps system messages, the last k others, the order, and calls with results", () => {
    fc.assert(
      fc.property(conversations, fc.integer({ min: 1, max: 14 }), (messages, k) => {
        const kept = keepLast(messages, k);
        expectWhole(kept, messages);
        const last = messages.filter((message) => !isSystem(message)).slice(-k);
        expect(kept).toEqual(expect.arrayContaining(last));
        // It keeps no more than necessary.
        const fewest = cuts(messages).filter((cut) => last.every((message) => cut.includes(message)));
        expect(kept).toHaveLength(fewest.at(-1)?.length ?? messages.length);
      }),
    );
  });

  it("moves the cut back to the tool call of a kept result, at any distance", () => {
    const messages = [say(Role.USER), call("1", "2"), result("1"), say(Role.USER, "wait"), result("2")];
    expect(keepLast(messages, 1)).toEqual(messages.slice(1));
  });

  it("keeps all messages if k exceeds their number", () => {
    const messages = [say(Role.USER, "a"), say(Role.ASSISTANT, "b"), say(Role.USER, "c")];
    expect(keepLast(messages, 99)).toEqual(messages);
  });
});

describe("dropping the oldest messages", () => {
  it("keeps system messages, the last message, calls with results, and all that fits", async () => {
    await fc.assert(
      fc.asyncProperty(conversations, fc.integer({ min: 0, max: 14 }), async (messages, most) => {
        const kept = at(messages, await trimOldest(messages, async (some) => some.length <= most));
        expectWhole(kept, messages);
        expect(kept.at(-1)).toBe(messages.at(-1));
        const possible = [messages, ...cuts(messages)];
        const longest = possible.find(({ length }) => length <= most) ?? possible.at(-1);
        expect(kept).toHaveLength(longest?.length ?? 0);
      }),
    );
  });
});

it("pairs a result with the nearest call if ids repeat in later turns", () => {
  const messages = [say(Role.USER), call("0"), result("0"), say(Role.USER), call("0"), result("0")];
  expect(lastMessages(messages, 1)).toEqual([4, 5]);
  expect(lastMessages(messages, 3)).toEqual([3, 4, 5]);
  expect(lastMessages(messages, 4)).toEqual([1, 2, 3, 4, 5]);
});

import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/calls/plan.ts";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type ConversationRules, type Dialect, headingOf, isApplicable, type SentItem } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { send } from "./send-conversation.ts";

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const call = (id: string, argumentsJson = "{}") => ({
  kind: { case: "toolCall" as const, value: { id, name: "look", argumentsJson } },
});
const result = (toolCallId: string, value: string) => ({
  kind: { case: "toolResult" as const, value: { toolCallId, parts: [text(value)] } },
});
const user = (...texts: readonly string[]) => ({ role: Role.USER, parts: texts.map(text) });
const assistant = (...parts: readonly (ReturnType<typeof text> | ReturnType<typeof call>)[]) => ({
  role: Role.ASSISTANT,
  parts: [...parts],
});
const tool = (...parts: readonly ReturnType<typeof result>[]) => ({ role: Role.TOOL, parts: [...parts] });

const ofKind = (items: readonly SentItem[], kind: SentItem["kind"]) => items.filter((item) => item.kind === kind);
const textsOf = (items: readonly SentItem[], kind: SentItem["kind"]) => ofKind(items, kind).map((item) => item.text);

/** For each result, the arguments of the nearest call before it with its id; without ids, of the call at its place. */
function pairs(items: readonly SentItem[]): readonly string[] {
  const calls = new Map<string, string>();
  const open: string[] = [];
  return items.flatMap((item) => {
    if (item.kind === "call" && item.id !== undefined) calls.set(item.id, item.text);
    if (item.kind === "call") open.push(item.text);
    if (item.kind !== "result") return [];
    const next = open.shift();
    return [`${item.id === undefined ? next : calls.get(item.id)} → ${item.text}`];
  });
}

/** Returns the fields of the warnings about single messages and parts. Others are about the API, such as signatures. */
function warned({ warnings }: Plan): readonly string[] {
  return warnings.map(({ field }) => field).filter((field) => /^messages\[\d+\](\.parts\[.*)?$/.test(field));
}

/** Returns every string in a value, property names included. */
function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [name, ...stringsIn(item)]);
}

for (const dialect of dialects) {
  const { conversation: rules } = dialect;
  if (isApplicable(rules)) describe(headingOf(dialect), () => describeConversations(dialect, rules));
}

function describeConversations(dialect: Dialect, rules: ConversationRules): void {
  const { callId, uniqueIds, callArguments, rejectedText } = rules;

  it("sends ids that the API accepts, the same for a call and its result", async () => {
    const ids = [
      "functions.look:0",
      "0",
      "x".repeat(200),
      `${"x".repeat(199)}y`,
      "chatcmpl-tool-0123456789abcdef0123456789abcdef",
      "é",
      "a|b",
      "a_b",
    ];
    const { items } = await send(dialect, rules, [
      user("hi"),
      ...ids.flatMap((id, index) => [assistant(call(id, `{"a":${index}}`)), tool(result(id, `r${index}`))]),
    ]);
    const sent = ofKind(items, "call").flatMap(({ id }) => (id === undefined ? [] : [id]));
    for (const id of sent) expect(id).toMatch(callId);
    expect(new Set(sent).size).toBe(sent.length);
    expect(pairs(items)).toEqual(ids.map((_, index) => `{"a":${index}} → r${index}`));
  });

  it("accepts ids that repeat in a later turn, and pairs each result with the nearest call", async () => {
    const turns = [0, 1, 2].flatMap((turn) => [
      assistant(call("look:0", `{"a":${turn}}`), call("look:1", `{"b":${turn}}`)),
      tool(result("look:0", `a${turn}`), result("look:1", `b${turn}`)),
    ]);
    const { items, plan } = await send(dialect, rules, [user("hi"), ...turns]);
    const sent = ofKind(items, "call").map(({ id }) => id);
    if (uniqueIds && !sent.includes(undefined)) expect(new Set(sent).size).toBe(6);
    if (!uniqueIds) expect(sent).toEqual(["look:0", "look:1", "look:0", "look:1", "look:0", "look:1"]);
    expect(pairs(items)).toEqual([0, 1, 2].flatMap((turn) => [`{"a":${turn}} → a${turn}`, `{"b":${turn}} → b${turn}`]));
    expect(warned(plan)).toEqual([]);
    // A prompt cache finds the earlier turns only if their ids stay the same.
    const begun = await send(dialect, rules, [user("hi"), ...turns.slice(0, 4)]);
    expect(ofKind(begun.items, "call").map(({ id }) => id)).toEqual(sent.slice(0, 4));
  });

  it("sends the results of a turn in the order of its calls, before other messages", async () => {
    const { items } = await send(dialect, rules, [
      user("hi"),
      assistant(call("a", '{"n":1}'), call("b", '{"n":2}'), call("c", '{"n":3}')),
      tool(result("c", "r3")),
      user("And?"),
      tool(result("b", "r2"), result("a", "r1")),
      user("Well?"),
    ]);
    expect(pairs(items)).toEqual(['{"n":1} → r1', '{"n":2} → r2', '{"n":3} → r3']);
    const order = items.map((item) => item.text).filter((item) => /^(r\d|And\?|Well\?)$/.test(item));
    expect(order).toEqual(["r1", "r2", "r3", "And?", "Well?"]);
  });

  it("accepts arguments of a model that are no JSON object", async () => {
    const written = ["null", " ", "[1]", '{"x":"1', '{}{"x":1}', "", "look!", '"{}"'];
    const { items, plan } = await send(dialect, rules, [
      user("hi"),
      ...written.flatMap((argumentsJson, index) => [
        assistant(call(`c${index}`, argumentsJson)),
        tool(result(`c${index}`, "no")),
      ]),
    ]);
    const wrapped = (argumentsJson: string) => JSON.stringify({ invalid_arguments: argumentsJson });
    expect(textsOf(items, "call")).toEqual(
      written.map((argumentsJson) => {
        if (argumentsJson === "") return "{}";
        if (callArguments === "text") return argumentsJson;
        return argumentsJson === "null" || argumentsJson === " " ? "{}" : wrapped(argumentsJson);
      }),
    );
    const fields = warned(plan);
    const first = (index: number) => `messages[${index}].parts[0].tool_call.arguments_json`;
    expect(fields).toEqual(callArguments === "text" ? [] : [first(1), first(5)]);
  });

  it("sends no text that the API rejects", async () => {
    const { items, plan } = await send(dialect, rules, [
      user("hi"),
      assistant(text("")),
      user("", "Hello"),
      assistant(text(" \n"), call("a")),
      tool(result("a", " ")),
      user("\t", "Bye"),
    ]);
    const texts = textsOf(items, "text");
    expect(texts).toEqual(expect.arrayContaining(["hi", "Hello", "Bye"]));
    if (rejectedText !== undefined) for (const sent of texts) expect(sent).not.toMatch(rejectedText);
    expect(textsOf(items, "result")).toHaveLength(1);
    const blanks = [`messages[3].parts[0]`, `messages[4].parts[0]`, `messages[5].parts[0]`];
    const fields = warned(plan);
    if (rejectedText === undefined) expect(fields).toEqual([]);
    else expect(fields).toEqual(rejectedText.test(" ") ? ["messages[1]", ...blanks] : ["messages[1]"]);
  });

  it("sends no assistant message without content for a turn of reasoning only", async () => {
    const reasoning = { kind: { case: "reasoning" as const, value: { text: "hm" } } };
    const { body, items } = await send(dialect, rules, [
      user("hi"),
      { role: Role.ASSISTANT, parts: [reasoning] },
      user("go on"),
    ]);
    expect(textsOf(items, "text")).toEqual(expect.arrayContaining(["hi", "go on"]));
    const { messages = [] }: { messages?: readonly Record<string, unknown>[] } = JSON.parse(body);
    for (const { content, reasoning } of messages) expect(content ?? reasoning).toBeDefined();
  });

  it("names instructions that the API rejects", async () => {
    const sent = await send(dialect, rules, [user("hi")], [], { instructions: " " });
    const fields = sent.plan.warnings
      .map(({ field }) => field)
      .filter((field) => /^(messages|instructions)/.test(field));
    expect(fields).toEqual(rejectedText?.test(" ") ? ["instructions"] : []);
  });

  it("rejects a last user message of only text that the API rejects", async () => {
    const nothing = rejectedText?.test(" ") ? " " : "";
    const sent = send(dialect, rules, [user("hi"), assistant(text("Hello")), user(nothing)]);
    if (rejectedText === undefined) await sent;
    else
      await expect(sent).rejects.toMatchObject({
        reason: "INVALID_REQUEST",
        facts: { fields: [{ field: ["messages", 2, "parts"] }] },
      });
  });

  it("sends halves of a character in JSON text as U+FFFD, with a warning", async () => {
    const { body, items, plan } = await send(dialect, rules, [
      user("b😀"),
      assistant(call("a", '{"x":"\\ud83d","y":"\\ud83d\\ude00","z":"\\\\ud83d"}'), call("b", '{"x":"\\uDC00"}')),
      tool(result("a", "c"), result("b", "d")),
    ]);
    for (const sent of stringsIn(JSON.parse(body))) expect(sent.isWellFormed()).toBe(true);
    expect(textsOf(items, "call").map((json) => JSON.parse(json))).toEqual([
      { x: "\ufffd", y: "😀", z: "\\ud83d" },
      { x: "\ufffd" },
    ]);
    expect(warned(plan)).toEqual(["messages[1].parts[0].tool_call.arguments_json"]);
  });
}

import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { CacheHintSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ToolChoiceMode } from "../../src/gen/dragoman/v1/tool_pb.js";
import { allow, functionTool } from "../support/tools.ts";
import { type Init, isApplicable, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { type Planned, planFor } from "./planned.ts";

// One object in many places: a hint is known by its place.
const cacheHint = create(CacheHintSchema, {});

const text = (value: string) => ({ kind: { case: "text" as const, value }, cacheHint });
const call = { kind: { case: "toolCall" as const, value: { id: "c1", name: "look", argumentsJson: "{}" } }, cacheHint };
const result = {
  kind: {
    case: "toolResult" as const,
    value: { toolCallId: "c1", parts: [{ kind: { case: "text" as const, value: "r" } }] },
  },
  cacheHint,
};
const plain = [
  { role: Role.SYSTEM, parts: [text("Be brief.")] },
  { role: Role.USER, parts: [text("one"), text("two"), text("")] },
  { role: Role.ASSISTANT, parts: [text("three")] },
  { role: Role.USER, parts: [text("four")] },
];
const withTools = [
  ...plain,
  { role: Role.ASSISTANT, parts: [call] },
  { role: Role.TOOL, parts: [result] },
  { role: Role.USER, parts: [text("five")] },
];
const tools = [functionTool({ name: "look", cacheHint }), functionTool({ name: "other", cacheHint })];

/** Number of prompt cache breakpoints in a body. */
const marksIn = ({ body }: Planned) => JSON.stringify(body).match(/"cache_control":|"cachePoint":/g)?.length ?? 0;

/** Returns the paths of hints that a warning names. */
const warnedIn = ({ warnings }: Planned) =>
  warnings.flatMap(({ field }) => (field.endsWith(".cache_hint") ? [field] : []));

const onTexts = ["texts", { messages: plain }, 6] as const;
const onTools = [
  ["texts, tools, calls and results", { messages: withTools, tools }, 11],
  [
    "tools of which some are not allowed",
    { messages: plain, tools, toolChoice: allow(ToolChoiceMode.AUTO, "look") },
    8,
  ],
] as const;

describe.each(dialects.map((dialect) => ({ ...dialect, title: titleOf(dialect) })))("the $title API", (dialect) => {
  it.each([
    onTexts,
    // APIs without these rules have no tools.
    ...(isApplicable(dialect.conversation) ? onTools : []),
  ])("gets each cache hint on %s, or the caller a warning with its field", async (_, request, hints) => {
    const planned = await planFor(dialect, request as Init<never>);
    const warned = warnedIn(planned);
    expect(new Set(warned).size).toBe(warned.length);
    expect(marksIn(planned) + warned.length).toBe(hints);
  });
});

describe("OpenRouter", () => {
  const dialect = dialects.find(({ name }) => name === "openrouter") ?? expect.fail("no OpenRouter");
  const hour = create(CacheHintSchema, { ttl: { seconds: 3600n } });
  const request = {
    messages: [{ role: Role.USER, parts: [{ ...text("long"), cacheHint: hour }, { kind: text("short").kind }] }],
    tools: [functionTool({ name: "look", cacheHint: hour })],
  };

  it.each([
    ["anthropic/claude-sonnet-4.6", { type: "ephemeral", ttl: "1h" }, { type: "ephemeral", ttl: "1h" }, 0],
    ["google/gemini-3-flash", { type: "ephemeral" }, undefined, 1],
    ["qwen/qwen3-max", { type: "ephemeral" }, undefined, 1],
    ["openai/gpt-5.2", undefined, undefined, 2],
  ])("sends the cache hints of %s as the model takes them", async (providerModel, onText, onTool, warnings) => {
    const model = { ...dialect.model, id: `openrouter/${providerModel}`, providerModel };
    const planned = await planFor(dialect, request, model);
    const { messages, tools: sent } = planned.body as Record<
      string,
      readonly { content?: unknown; cache_control?: unknown }[]
    >;
    const mark = (value: unknown) => (value === undefined ? {} : { cache_control: value });
    expect(messages?.[0]?.content).toEqual([
      { type: "text", text: "long", ...mark(onText) },
      { type: "text", text: "short" },
    ]);
    expect(sent?.[0]?.cache_control).toEqual(onTool);
    expect(warnedIn(planned)).toHaveLength(warnings);
  });
});

describe.each(["anthropic", "bedrock", "openrouter"])("at %s", (name) => {
  const dialect = dialects.find((one) => one.name === name) ?? expect.fail(`no ${name}`);
  const models: Readonly<Record<string, string>> = { openrouter: "anthropic/claude-sonnet-4.6" };
  const providerModel = models[name] ?? dialect.model.providerModel;
  const of = (seconds?: bigint) => create(CacheHintSchema, seconds === undefined ? {} : { ttl: { seconds } });
  const part = (value: string, hint = of()) => ({ ...text(value), cacheHint: hint });
  const [five, hour] = [of(300n), of(3600n)];

  it.each([
    ["texts", [], [{ role: Role.USER, parts: [part("a", five), part("b"), part("c", hour)] }], 2],
    ["a tool and a text", [of()], [{ role: Role.USER, parts: [part("a", hour)] }], 1],
    ["tools", [five, hour], [{ role: Role.USER, parts: [part("a", five)] }], 1],
    [
      "a later system text, which may come first",
      [],
      [
        { role: Role.USER, parts: [part("a", hour)] },
        { role: Role.SYSTEM, parts: [part("b", five)] },
        { role: Role.USER, parts: [{ kind: part("c").kind }] },
      ],
      1,
    ],
    ["texts in the right order", [hour], [{ role: Role.USER, parts: [part("a", hour), part("b", five)] }], 0],
  ])("no breakpoint of an hour comes after a shorter one: %s", async (_, toolHints, messages, raised) => {
    const model = { ...dialect.model, id: `${name}/${providerModel}`, providerModel };
    const sent = toolHints.map((hint, index) => functionTool({ name: `look${index}`, cacheHint: hint }));
    const planned = await planFor(dialect, { messages, tools: sent }, model);
    const { tools: ownTools, toolConfig, system, messages: turns } = planned.body;
    const inOrder = JSON.stringify([ownTools ?? toolConfig ?? [], system ?? [], turns]);
    const marks = inOrder.match(/"(cache_control|cachePoint)":\{[^}]*\}/g) ?? [];
    const lives = marks.map((mark) => mark.includes('"1h"'));
    expect(lives).toEqual(lives.toSorted((one, other) => Number(other) - Number(one)));
    expect(lives).toContain(true);
    const told = planned.warnings.filter(({ message }) => message.includes("1 hour"));
    expect(told.map(({ reason }) => reason)).toEqual(Array.from({ length: raised }, () => "EMULATED"));
    for (const { field } of told) expect(field).toMatch(/cache_hint$/);
  });
});

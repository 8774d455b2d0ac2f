import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coalesce } from "../../../src/chat/stream/coalesce.ts";
import {
  type ChatEvent,
  completed,
  delta,
  finished,
  reasoningDelta,
  refusalDelta,
  started,
  textDelta,
  toolCallDelta,
} from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { createRepairs } from "../../../src/chat/stream/repair-events.ts";
import { createStreamValidator } from "../../../src/chat/stream/stream-validator.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { MediaSchema } from "../../../src/gen/dragoman/v1/media_pb.js";
import { ServerToolCallSchema, ServerToolResultSchema } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ProviderStateSchema } from "../../../src/gen/dragoman/v1/provider_state_pb.js";

/** Repairs events, each in a batch of its own, validates them, and returns them with their completion. */
function repaired(deltas: readonly ChatEvent[], choices = 1) {
  const repair = createRepairs();
  const validator = createStreamValidator();
  const fold = createFold();
  const ends = Array.from({ length: choices }, (_, index) => finished(index, FinishReason.STOP, "stop"));
  const events = [started(), ...deltas, ...ends, completed()].flatMap((event) => repair([event]));
  for (const event of events) {
    validator.accept(event);
    fold.add(event);
  }
  validator.end();
  const { completion } = fold;
  return { events, completion, parts: completion.choices.map(({ message }) => message?.parts ?? []) };
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

const media = (transcript: string, first = false) =>
  delta(0, 0, {
    case: "media",
    value: create(MediaSchema, first ? { mediaType: "audio/wav", transcript } : { transcript }),
  });

describe("characters that are cut in halves", () => {
  it("are joined in the later part if a part of the same kind begins between them", () => {
    const { parts } = repaired([
      textDelta(0, 0, "a\ud83d"),
      textDelta(0, 1, "\ude00b"),
      reasoningDelta(0, 2, "c\ud83d"),
      textDelta(0, 3, "\ude00d"),
    ]);
    expect(parts[0]?.map(({ kind }) => (kind.case === "reasoning" ? kind.value.text : kind.value))).toEqual([
      ...["a", "😀b"],
      ...["c\ufffd", "\ufffdd"],
    ]);
  });

  const kinds = {
    text: (text: string) => textDelta(0, 0, text),
    refusal: (text: string) => refusalDelta(0, 0, text),
    reasoning: (text: string) => reasoningDelta(0, 0, text),
    arguments: (text: string, first: boolean) => toolCallDelta(0, 0, text, first ? "a" : "", first ? "look" : ""),
    transcript: media,
    "server tool input": (inputJson: string, first: boolean) =>
      delta(0, 0, {
        case: "serverToolCall",
        value: create(ServerToolCallSchema, first ? { id: "a", name: "search", inputJson } : { inputJson }),
      }),
    "server tool output": (outputJson: string, first: boolean) =>
      delta(0, 0, {
        case: "serverToolResult",
        value: create(ServerToolResultSchema, first ? { toolCallId: "a", outputJson } : { outputJson }),
      }),
  } as const;

  it.each(Object.entries(kinds))("are joined in %s, wherever the text is cut", (_, make) => {
    const unit = fc.constantFrom("a", "é", "\ud83d", "\ude00", '"', "{", "}");
    fc.assert(
      fc.property(
        fc.array(
          fc.array(unit).map((units) => units.join("")),
          { minLength: 1 },
        ),
        (texts) => {
          const { events, parts } = repaired(texts.map((text, index) => make(text, index === 0)));
          for (const event of events) for (const text of stringsOf(event.value)) expect(text.isWellFormed()).toBe(true);
          const whole = texts.join("").toWellFormed();
          // An empty object before other arguments is dropped: see below.
          if (!whole.startsWith("{}")) expect(stringsOf(parts).join("\n")).toContain(whole);
        },
      ),
    );
  });

  it("are joined if deltas of other parts and choices come between the halves", () => {
    const { parts } = repaired(
      [
        textDelta(0, 0, "a\ud83d"),
        reasoningDelta(0, 1, "b\ud83d"),
        textDelta(1, 0, "c\ud83d"),
        textDelta(0, 0, "\ude00"),
        textDelta(1, 0, "\ude01"),
        reasoningDelta(0, 1, "\ude02"),
      ],
      2,
    );
    expect(stringsOf(parts[0])).toEqual(expect.arrayContaining(["a😀", "b😂"]));
    expect(stringsOf(parts[1])).toEqual(expect.arrayContaining(["c😁"]));
  });

  it("give the same events to a stream and to a whole response", () => {
    const { events, completion } = repaired([textDelta(0, 0, "a\ud83d"), textDelta(0, 0, "\ude00 \ud83d")]);
    const fold = createFold();
    for (const event of coalesce(events)) fold.add(event);
    expect(fold.completion).toEqual(completion);
    expect(stringsOf(completion.choices)).toContain("a😀 \ufffd");
  });

  it.each([" ", "{}", "null"])("keeps held arguments once if their delta also has provider state: %j", (text) => {
    const providerState = create(ProviderStateSchema, { provider: "p", data: new Uint8Array([1]) });
    const second = toolCallDelta(0, 0, text);
    const { parts } = repaired([
      toolCallDelta(0, 0, " ", "a", "look"),
      { ...second, value: { ...second.value, providerState } },
    ]);
    expect(parts[0]?.[0]?.kind.value).toMatchObject({ argumentsJson: ` ${text}` });
    expect(parts[0]?.[0]?.providerState?.data).toEqual(new Uint8Array([1]));
  });

  it("become U+FFFD in all other texts of a response", () => {
    const { completion } = repaired([
      delta(
        0,
        0,
        { case: "text", value: "a" },
        {
          $typeName: "dragoman.v1.LogProbs",
          tokens: [{ $typeName: "dragoman.v1.TokenLogProb", token: "\ud83d", logprob: -1, topLogprobs: [] }],
        },
      ),
    ]);
    expect(completion.choices[0]?.logprobs?.tokens[0]?.token).toBe("\ufffd");
  });
});

describe("arguments that begin with an empty object", () => {
  const parts = (...texts: readonly string[]) =>
    repaired([
      toolCallDelta(0, 0, texts[0] ?? "", "a", "look"),
      ...texts.slice(1).map((text) => toolCallDelta(0, 0, text)),
    ]).parts[0];

  it.each([
    [["{}"], "{}"],
    [["", "{}"], "{}"],
    [["{}", "{}"], "{}"],
    [["{}", '{"x":', "1}"], '{"x":1}'],
    [["", "{}", "", ' {"x":1}'], ' {"x":1}'],
    [["{}", " ", '{"x":1}'], '{"x":1}'],
    [["{ }", "\n", '{"x":1}'], '{"x":1}'],
    [["null", '{"x":1}'], '{"x":1}'],
    [["null"], "null"],
    [[" "], " "],
    [[" ", '{"x":1}'], ' {"x":1}'],
    [["{}", "\n"], "{}\n"],
    [['{"x":', "{}", "}"], '{"x":{}}'],
    [['{"x":', "{}", "{"], '{"x":{}{'],
    [['{}{"x":1}'], '{}{"x":1}'],
  ])("%j are the real ones: %s", (texts, argumentsJson) => {
    expect(parts(...texts)?.[0]?.kind).toMatchObject({ case: "toolCall", value: { argumentsJson } });
  });
});

describe("ids and names of tool calls", () => {
  const call = (part: number, id: string, name = "look", choice = 0) => toolCallDelta(choice, part, "{}", id, name);
  const calls = (parts: readonly ReturnType<typeof repaired>["parts"][number][]) =>
    parts.flat().flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value] : []));

  it("become unique in each choice, with a warning", () => {
    const { parts, completion } = repaired(
      [call(0, "a"), call(1, "a"), call(2, "a_2"), call(3, "a"), call(0, "a", "look", 1)],
      2,
    );
    expect(calls(parts).map(({ id }) => id)).toEqual(["a", "a_2", "a_2_2", "a_3", "a"]);
    expect(completion.warnings).toMatchObject([{ reason: "INFERRED" }, { reason: "INFERRED" }, { reason: "INFERRED" }]);
  });

  it("get the contract's length, with a warning", () => {
    const [long, other] = ["x".repeat(9000), `${"x".repeat(8999)}y`];
    const { parts, completion } = repaired([
      call(0, long),
      call(1, other),
      call(2, long),
      call(3, "b", "n".repeat(150)),
    ]);
    const ids = calls(parts).map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(8192);
    expect(calls(parts)[3]?.name).toBe("n".repeat(128));
    expect(new Set(completion.warnings.map(({ reason }) => reason))).toEqual(new Set(["INFERRED"]));
  });

  it("cause no warning if nothing changes", () => {
    expect(repaired([call(0, "a"), call(1, "b")]).completion.warnings).toEqual([]);
  });
});

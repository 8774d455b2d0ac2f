import { create, equals, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { coalesce } from "../../../src/chat/stream/coalesce.ts";
import {
  type ChatEvent,
  completed,
  delta,
  finished,
  started,
  textDelta,
  toolCallDelta,
} from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { createStreamValidator } from "../../../src/chat/stream/stream-validator.ts";
import { loadRules } from "../../../src/chat/validation/annotations.ts";
import { GatewayError } from "../../../src/errors.ts";
import { StreamChatResponseSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { CitationSchema } from "../../../src/gen/dragoman/v1/citation_pb.js";
import { type ChatCompletion, ChatCompletionSchema, FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Media, MediaSchema } from "../../../src/gen/dragoman/v1/media_pb.js";
import {
  PartSchema,
  type Reasoning,
  type ServerToolCall,
  ServerToolCallSchema,
  type ServerToolResult,
  type ToolCall,
} from "../../../src/gen/dragoman/v1/message_pb.js";
import { Profile } from "../../../src/gen/dragoman/v1/profile_pb.js";
import { lawfulEvents } from "../../support/lawful-events.ts";

function fold(events: readonly ChatEvent[]): ChatCompletion {
  const folded = createFold();
  for (const event of events) folded.add(event);
  return folded.completion;
}

/** Cuts a list into batches of these sizes, and a last batch of the rest. */
function batches<T>(list: readonly T[], sizes: readonly number[]): readonly (readonly T[])[] {
  const result: T[][] = [];
  let rest = [...list];
  for (const size of sizes) {
    result.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return [...result, rest];
}

describe("the fold law", () => {
  it("concatenates the deltas of text, reasoning, refusals and tool arguments", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const completion = fold(events);
        for (const { index, message } of completion.choices) {
          message?.parts.forEach((part, partIndex) => {
            const fragments = events.flatMap((event) =>
              event.case === "delta" && event.value.choiceIndex === index && event.value.partIndex === partIndex
                ? [event.value.delta]
                : [],
            );
            const ofKind = fragments.filter((fragment) => fragment.case !== "citation");
            expect(textOf(part.kind)).toBe(ofKind.map(textOf).join(""));
            expect(transcriptOf(part.kind)).toBe(ofKind.map(transcriptOf).join(""));
            expect(new Set(ofKind.map((fragment) => fragment.case))).toEqual(new Set([part.kind.case]));
            const citations = fragments.flatMap(({ case: kind, value }) => (kind === "citation" ? [value] : []));
            expect(part.citations).toEqual(citations);
          });
        }
      }),
    );
  });

  it("folds coalesced batches of any size to the same completion", () => {
    fc.assert(
      fc.property(lawfulEvents, fc.array(fc.nat({ max: 8 })), (events, sizes) => {
        const joined = batches(events, sizes).flatMap((batch) => coalesce(batch));
        expect(equals(ChatCompletionSchema, fold(joined), fold(events))).toBe(true);
        expect(joined.length).toBeLessThanOrEqual(events.length);
      }),
    );
  });

  it("folds events that went over the wire to the same bytes, coalesced or not", () => {
    const overWire = (events: readonly ChatEvent[]) =>
      events.flatMap((event, index): readonly ChatEvent[] => {
        const sent = create(StreamChatResponseSchema, { event, seq: index + 1 });
        const got = fromBinary(StreamChatResponseSchema, toBinary(StreamChatResponseSchema, sent));
        return got.event.case === undefined ? [] : [got.event];
      });
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const whole = toBinary(ChatCompletionSchema, fold(overWire(events)));
        expect(toBinary(ChatCompletionSchema, fold(overWire(coalesce(events))))).toEqual(whole);
        expect(equals(ChatCompletionSchema, fromBinary(ChatCompletionSchema, whole), fold(overWire(events)))).toBe(
          true,
        );
      }),
    );
  });

  it("keeps what the events at the ends say", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const { choices, profile, providerMetadataJson } = fold(events);
        expect({ profile, providerMetadataJson }).toEqual({
          profile: Profile.PLAIN,
          providerMetadataJson: '{"container":"c"}',
        });
        for (const event of events) {
          if (event.case !== "finished") continue;
          const { choiceIndex, sources, providerMetadataJson: metadata, outputViolation } = event.value;
          expect(choices[choiceIndex]).toMatchObject({ sources, providerMetadataJson: metadata });
          expect(choices[choiceIndex]?.outputViolation).toEqual(outputViolation);
        }
      }),
    );
  });

  it("joins neither media nor citations, and keeps their order", () => {
    const separate = (events: readonly ChatEvent[]) =>
      events.filter(({ case: kind, value }) =>
        kind === "delta" ? value.delta.case === "media" || value.delta.case === "citation" : false,
      );
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        expect(separate(coalesce(events))).toEqual(separate(events));
      }),
    );
  });

  it("does not change the events that it folds", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const before = structuredClone(events);
        fold(events);
        coalesce(events);
        expect(events).toEqual(before);
      }),
    );
  });

  it("returns one choice per index, in order, each with its finish reason", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const { choices } = fold(events);
        expect(choices.map(({ index }) => index)).toEqual(choices.map((_, position) => position));
        expect(choices.every(({ finishReason }) => finishReason !== FinishReason.UNSPECIFIED)).toBe(true);
      }),
    );
  });
});

describe("the stream law", () => {
  beforeAll(async () => {
    for (const schema of [PartSchema, CitationSchema]) await loadRules(schema);
  });

  const check = (events: readonly ChatEvent[]): void => {
    const guard = createStreamValidator();
    for (const event of events) guard.accept(event);
    guard.end();
  };

  it("accepts every lawful stream, coalesced or not", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        check(events);
        check(coalesce(events));
      }),
    );
  });

  it("rejects every stream that ends early", () => {
    fc.assert(
      fc.property(lawfulEvents, fc.nat(), (events, cut) => {
        expect(() => check(events.slice(0, cut % events.length))).toThrow(GatewayError);
      }),
    );
  });

  it("rejects every stream with a repeated started, finished or completed", () => {
    fc.assert(
      fc.property(lawfulEvents, fc.nat(), (events, pick) => {
        const others = events.filter(({ case: kind }) => kind !== "delta");
        const repeated = others[pick % others.length];
        if (repeated === undefined) throw new Error("a lawful stream has events that are not deltas");
        const at = events.indexOf(repeated);
        expect(() => check([...events.slice(0, at), repeated, ...events.slice(at)])).toThrow(GatewayError);
      }),
    );
  });

  const bytes = { case: "data", value: Uint8Array.of(1) } as const;
  const url = { case: "url", value: "https://a.example" } as const;
  const citationDelta = (choice: number, part: number) =>
    delta(choice, part, { case: "citation", value: create(CitationSchema) });
  const mediaDelta = (init: MessageInitShape<typeof MediaSchema>) =>
    delta(0, 0, { case: "media", value: create(MediaSchema, init) });
  const serverCallDelta = (name: string) =>
    delta(0, 0, { case: "serverToolCall", value: create(ServerToolCallSchema, { name }) });
  const stop = finished(0, FinishReason.STOP, "stop");
  it.each<[string, readonly ChatEvent[]]>([
    ["an event before started", [textDelta(0, 0, "a")]],
    ["a delta after its choice finished", [started(), stop, textDelta(0, 0, "a")]],
    ["a skipped part index", [started(), textDelta(0, 1, "a")]],
    ["a part that changes its kind", [started(), textDelta(0, 0, "a"), toolCallDelta(0, 0, "{}", "id", "f")]],
    ["a tool call without an id", [started(), toolCallDelta(0, 0, "{}", "", "f")]],
    [
      "a tool call that repeats its id and name",
      [started(), toolCallDelta(0, 0, "", "i", "f"), toolCallDelta(0, 0, "", "i", "f")],
    ],
    ["a citation before its part", [started(), citationDelta(0, 0)]],
    ["a citation of a part that is skipped", [started(), textDelta(0, 0, "a"), citationDelta(0, 1)]],
    ["media without a type", [started(), mediaDelta({ source: bytes })]],
    [
      "media that repeat their type",
      [started(), mediaDelta({ source: bytes, mediaType: "a/b" }), mediaDelta({ source: bytes, mediaType: "a/b" })],
    ],
    ["media with a URL and data", [started(), mediaDelta({ source: url }), mediaDelta({ source: bytes })]],
    [
      "media with data and a URL",
      [started(), mediaDelta({ source: bytes, mediaType: "a/b" }), mediaDelta({ source: url })],
    ],
    ["a server tool call that repeats its name", [started(), serverCallDelta("f"), serverCallDelta("f")]],
    [
      "a tool call whose name is too long to be sent back",
      [started(), toolCallDelta(0, 0, "{}", "i", "f".repeat(129))],
    ],
    ["a tool call whose id is too long to be sent back", [started(), toolCallDelta(0, 0, "{}", "i".repeat(8193), "f")]],
    [
      "a URL that is too long to be sent back",
      [started(), mediaDelta({ source: { ...url, value: "u".repeat(8193) } })],
    ],
    [
      "a citation that cannot be sent back",
      [
        started(),
        textDelta(0, 0, "a"),
        delta(0, 0, { case: "citation", value: create(CitationSchema, { start: -1 }) }),
      ],
    ],
    ["completed before a choice finished", [started(), textDelta(0, 0, "a"), completed()]],
    ["completed without a choice", [started(), completed()]],
    ["an event after completed", [started(), stop, completed(), textDelta(1, 0, "a")]],
    ["a finished choice without a reason", [started(), finished(0, FinishReason.UNSPECIFIED, "")]],
  ])("rejects %s", (_, events) => {
    expect(() => check(events)).toThrow(GatewayError);
  });

  it("accepts names and ids of the maximum length", () => {
    check([started(), toolCallDelta(0, 0, "{}", "i".repeat(8192), "f".repeat(128)), stop, completed()]);
  });

  it("names the field that is too long to be sent back", () => {
    expect(() => check([started(), toolCallDelta(0, 0, "{}", "i", "f".repeat(129))])).toThrow(
      "the provider's response is malformed: part.tool_call.name must be at most 128 characters",
    );
  });

  it("reports a malformed stream as PROVIDER_FAULT before output, as interrupted after", () => {
    expect(() => check([started(), textDelta(0, 1, "a")])).toThrow(
      expect.objectContaining({ reason: "PROVIDER_FAULT" }),
    );
    expect(() => check([started(), textDelta(0, 0, "a"), textDelta(0, 2, "b")])).toThrow(
      expect.objectContaining({ reason: "PROVIDER_STREAM_INTERRUPTED" }),
    );
  });
});

type Contents = Pick<Reasoning, "text"> &
  Pick<ToolCall, "argumentsJson"> &
  Pick<ServerToolCall, "inputJson"> &
  Pick<ServerToolResult, "outputJson"> &
  Pick<Media, "source">;

/** Returns the content of a part or delta as text; data of media as hexadecimal digits. */
function textOf(part: { case?: string | undefined; value?: unknown }): string {
  if (typeof part.value === "string") return part.value;
  const value = part.value as Partial<Contents>;
  if (value.source?.case === "data") return Buffer.from(value.source.value).toString("hex");
  return value.text ?? value.argumentsJson ?? value.inputJson ?? value.outputJson ?? "";
}

function transcriptOf({ value }: { value?: unknown }): string {
  return typeof value === "object" && value !== null ? String(Reflect.get(value, "transcript") ?? "") : "";
}

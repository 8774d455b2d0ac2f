import { equals } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coalesce } from "../../../src/chat/stream/coalesce.ts";
import {
  type ChatEvent,
  completed,
  finished,
  started,
  textDelta,
  toolCallDelta,
} from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { createStreamValidator } from "../../../src/chat/stream/stream-validator.ts";
import { GatewayError } from "../../../src/errors.ts";
import { type ChatCompletion, ChatCompletionSchema, FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
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
            expect(textOf(part.kind)).toBe(fragments.map(textOf).join(""));
            expect(new Set(fragments.map((fragment) => fragment.case))).toEqual(new Set([part.kind.case]));
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
    ["completed before a choice finished", [started(), textDelta(0, 0, "a"), completed()]],
    ["completed without a choice", [started(), completed()]],
    ["an event after completed", [started(), stop, completed(), textDelta(1, 0, "a")]],
    ["a finished choice without a reason", [started(), finished(0, FinishReason.UNSPECIFIED, "")]],
  ])("rejects %s", (_, events) => {
    expect(() => check(events)).toThrow(GatewayError);
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

function textOf(part: { case?: string | undefined; value?: unknown }): string {
  if (typeof part.value === "string") return part.value;
  const value = part.value as { text?: string; argumentsJson?: string };
  return value.text ?? value.argumentsJson ?? "";
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStopCutter } from "../../../src/chat/stream/cut-at-stops.ts";
import {
  type ChatEvent,
  completed,
  finished,
  reasoningDelta,
  started,
  textDelta,
  toolCallDelta,
} from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";

function textOf(events: readonly ChatEvent[], choice = 0): string {
  return events
    .flatMap(({ value, case: kind }) => (kind === "delta" && value.choiceIndex === choice ? [value.delta] : []))
    .flatMap((delta) => (delta.case === "text" ? [delta.value] : []))
    .join("");
}

const end = finished(0, FinishReason.LENGTH, "length");
const letters = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), maxLength: 12 });
const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 3,
});

/** Length of the longest end of the text that begins a stop sequence. */
function longestBeginning(text: string, sequences: readonly string[]): number {
  const beginnings = sequences.flatMap((stop) => Array.from({ length: stop.length }, (_, end) => stop.slice(0, end)));
  return Math.max(...beginnings.map((beginning) => (text.endsWith(beginning) ? beginning.length : 0)));
}

describe("a response that ends at stop sequences", () => {
  it("has the text before the first stop sequence, whatever the deltas", () => {
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), stops, (deltas, sequences) => {
        const all = deltas.join("");
        const cutter = createStopCutter(sequences, 1);
        const events: ChatEvent[] = [...cutter.cut([started()])];
        let arrived = "";
        for (const delta of deltas) {
          if (cutter.needsNoMore) break;
          events.push(...cutter.cut([textDelta(0, 0, delta)]));
          arrived += delta;
          if (cutter.needsNoMore) break;
          const held = arrived.length - textOf(events).length;
          expect(held).toBe(longestBeginning(arrived, sequences));
        }
        if (!cutter.needsNoMore) events.push(...cutter.cut([end, completed()]));
        const fold = createFold();
        for (const event of events) fold.add(event);
        const [choice] = fold.completion.choices;
        const matched = choice?.matchedStopSequence ?? "";
        const before = textOf(events);
        if (sequences.some((stop) => all.includes(stop))) {
          expect(sequences).toContain(matched);
          expect(all.startsWith(before + matched)).toBe(true);
          // No sequence ends before the one that matched.
          expect(sequences.some((stop) => (before + matched).slice(0, -1).includes(stop))).toBe(false);
          expect(choice?.finishReason).toBe(FinishReason.STOP);
        } else {
          expect([before, matched, choice?.finishReason]).toEqual([all, "", FinishReason.LENGTH]);
        }
      }),
    );
  });

  it("keeps the order of parts, and ignores reasoning and arguments", () => {
    const cutter = createStopCutter(["END"], 1);
    const batch = [
      started(),
      reasoningDelta(0, 0, "END"),
      textDelta(0, 1, "So E"),
      toolCallDelta(0, 2, '"END"', "a", "f"),
      textDelta(0, 3, "ND, E"),
      textDelta(0, 3, "ND."),
      toolCallDelta(0, 4, "{}", "b", "g"),
      finished(0, FinishReason.TOOL_CALLS, "tool_calls"),
      completed(),
    ];
    expect(cutter.cut(batch)).toEqual([
      started(),
      reasoningDelta(0, 0, "END"),
      textDelta(0, 1, "So "),
      textDelta(0, 1, "E"),
      toolCallDelta(0, 2, '"END"', "a", "f"),
      textDelta(0, 3, "ND, "),
      finished(0, FinishReason.STOP, "", "END"),
      completed(),
    ]);
    expect(cutter.needsNoMore).toBe(false);
  });

  it("needs no more once all choices have ended, and returns the log probabilities of the text", () => {
    const token = (text: string) => ({
      $typeName: "dragoman.v1.LogProbs" as const,
      tokens: [{ $typeName: "dragoman.v1.TokenLogProb" as const, token: text, logprob: -1, topLogprobs: [] }],
    });
    const cutter = createStopCutter(["END"], 2);
    const first = cutter.cut([textDelta(0, 0, "Hi", token("Hi")), textDelta(0, 0, " E", token(" E"))]);
    expect(textOf(first)).toBe("Hi ");
    expect(cutter.cut([textDelta(0, 0, "ND", token("ND"))])).toEqual([finished(0, FinishReason.STOP, "", "END")]);
    expect(cutter.needsNoMore).toBe(false);
    expect(cutter.cut([textDelta(0, 0, "more")])).toEqual([]);
    const last = cutter.cut([textDelta(1, 0, "END")]);
    expect(last).toEqual([finished(1, FinishReason.STOP, "", "END"), completed()]);
    expect(cutter.needsNoMore).toBe(true);
    const fold = createFold();
    for (const event of first) fold.add(event);
    expect(fold.completion.choices[0]?.logprobs?.tokens.map(({ token: text }) => text)).toEqual(["Hi", " E"]);
  });
});

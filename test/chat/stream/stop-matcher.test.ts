import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StopMatcher } from "../../../src/chat/stream/stop-matcher.ts";

/** A small alphabet makes stop sequences occur, overlap and almost occur. */
const letters = (maxLength: number, minLength = 0) =>
  fc.string({ unit: fc.constantFrom("a", "b", "😀"), minLength, maxLength });

function run(pieces: readonly string[], stops: readonly string[]) {
  const matcher = new StopMatcher(stops);
  let shown = "";
  for (const piece of pieces) {
    const { text, stop } = matcher.push(piece);
    shown += text;
    if (stop !== undefined) return { shown, stop };
  }
  return { shown: shown + matcher.flush(), stop: undefined };
}

describe("the stop matcher", () => {
  it("finds the same stop sequence wherever the text is split", () => {
    fc.assert(
      fc.property(fc.array(letters(4)), fc.array(letters(4, 1), { maxLength: 4 }), (pieces, stops) => {
        const text = pieces.join("");
        expect(run(pieces, stops)).toEqual(run([...text], stops));
        expect(run(pieces, stops)).toEqual(run([text], stops));
      }),
    );
  });

  it("never returns a stop sequence, and without one returns all text", () => {
    fc.assert(
      fc.property(fc.array(letters(4)), fc.array(letters(4, 1), { maxLength: 4 }), (pieces, stops) => {
        const text = pieces.join("");
        const { shown, stop } = run(pieces, stops);
        for (const each of stops) expect(shown).not.toContain(each);
        expect(text.startsWith(shown + (stop ?? ""))).toBe(true);
        if (!stops.some((each) => text.includes(each))) expect(shown).toBe(text);
        else expect(stop).toBeDefined();
      }),
    );
  });

  it("holds back only text that could become a stop sequence", () => {
    const matcher = new StopMatcher(["\n\nUser:"]);
    expect(matcher.push("Hello\n")).toEqual({ text: "Hello", stop: undefined });
    expect(matcher.push("you\n\nUse")).toEqual({ text: "\nyou", stop: undefined });
    expect(matcher.push("less")).toEqual({ text: "\n\nUseless", stop: undefined });
  });
});

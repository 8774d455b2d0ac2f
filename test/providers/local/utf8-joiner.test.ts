import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Utf8Joiner } from "../../../src/providers/local/utf8-joiner.ts";

/** A tokenizer whose tokens are bytes. */
const decode = (tokens: readonly number[]) => Buffer.from(tokens).toString();

function join(bytes: readonly number[]): string[] {
  const joiner = new Utf8Joiner(decode, []);
  return [...bytes.map((byte) => joiner.push(byte)), joiner.flush()];
}

describe("the UTF-8 joiner", () => {
  it("gives back every text whose tokens are single bytes, and never half a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const pieces = join([...Buffer.from(text)]);
        expect(pieces.join("")).toBe(text);
        if (!text.includes("\uFFFD")) expect(pieces.some((piece) => piece.includes("\uFFFD"))).toBe(false);
      }),
    );
  });

  it("says at the end that a character was cut off", () => {
    expect(join([0x41, 0xf0, 0x9f, 0x98])).toEqual(["A", "", "", "", "\uFFFD"]);
  });

  it("does not wait forever for bytes that are no text", () => {
    const pieces = join(Array(100).fill(0xff));
    expect(pieces.join("")).toBe("\uFFFD".repeat(100));
    expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(10);
  });

  it("gives the tokens that precede, which decide about a blank", () => {
    const calls: (readonly number[])[] = [];
    const joiner = new Utf8Joiner(
      (tokens, before) => {
        calls.push(before);
        return String(tokens);
      },
      [1, 2, 3, 4, 5],
    );
    joiner.push(6);
    joiner.push(7);
    expect(calls).toEqual([
      [2, 3, 4, 5],
      [3, 4, 5, 6],
    ]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Utf8Joiner } from "../../../src/providers/local/utf8-joiner.ts";

/** Decoder whose tokens are single bytes. */
const decode = (tokens: readonly number[]) => Buffer.from(tokens).toString();

function join(bytes: readonly number[]): string[] {
  const joiner = new Utf8Joiner(decode, []);
  return [...bytes.map((byte) => joiner.push(byte)), joiner.flush()];
}

describe("the UTF-8 joiner", () => {
  it("returns every text of single-byte tokens without splitting characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const pieces = join([...Buffer.from(text)]);
        expect(pieces.join("")).toBe(text);
        if (!text.includes("\uFFFD")) expect(pieces.some((piece) => piece.includes("\uFFFD"))).toBe(false);
      }),
    );
  });

  it("returns U+FFFD at the end for an incomplete character", () => {
    expect(join([0x41, 0xf0, 0x9f, 0x98])).toEqual(["A", "", "", "", "\uFFFD"]);
  });

  it("stops waiting for bytes that are not text", () => {
    const pieces = join(Array(100).fill(0xff));
    expect(pieces.join("")).toBe("\uFFFD".repeat(100));
    expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(10);
  });

  it("passes the last four preceding tokens to the decoder", () => {
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

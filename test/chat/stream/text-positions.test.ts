import fc from "fast-check";
import { expect, it } from "vitest";
import { TextPositions } from "../../../src/chat/stream/text-positions.ts";

it("converts positions of any text that arrives in any pieces, also in halves of characters", () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 6 }), { maxLength: 6 });
  fc.assert(
    fc.property(texts, fc.nat({ max: 3 }), (pieces, cut) => {
      const text = pieces.join("");
      const positions = new TextPositions();
      for (let at = 0; at < text.length; at += cut + 1) positions.append(text.slice(at, at + cut + 1));
      const characters = Array.from(text);
      for (let end = 1; end <= characters.length; end++) {
        const before = Buffer.byteLength(characters.slice(0, end - 1).join(""));
        const after = Buffer.byteLength(characters.slice(0, end).join(""));
        expect(positions.toBytes(end - 1, end)).toEqual({ start: before, end: after });
        expect(positions.toCharacter(before)).toBe(end - 1);
      }
      expect(positions.toBytes(characters.length, characters.length + 1)).toBeUndefined();
    }),
  );
});

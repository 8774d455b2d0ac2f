import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excessOf as excessBeyond, mostLevels } from "../../../src/chat/validation/json-bounds.ts";

const maxValues = 1000;
const excessOf = (text: string) => excessBeyond(text, maxValues);

describe("the bounds of JSON text", () => {
  it("accepts ordinary JSON", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 20 }), (text) => excessOf(text) === undefined));
  });

  it("ignores characters inside strings, including escaped quotation marks", () => {
    const hostile = fc.string({ unit: fc.constantFrom("[", "{", ",", '"', "\\", "a"), maxLength: 400 });
    fc.assert(
      fc.property(hostile, (text) => {
        const nested = "[".repeat(mostLevels - 1) + JSON.stringify(text) + "]".repeat(mostLevels - 1);
        return excessOf(nested) === undefined && excessOf(`[[${nested}]]`) === "levels";
      }),
    );
  });

  it.each(["[", '{"a":', '[{"a":'])("rejects too many levels of %s", (opening) => {
    expect(excessOf(opening.repeat(mostLevels))).toBe(opening === '[{"a":' ? "levels" : undefined);
    expect(excessOf(opening.repeat(mostLevels + 1))).toBe("levels");
  });

  it("rejects a list with too many values", () => {
    expect(excessOf(`[${"0,".repeat(maxValues - 2)}0]`)).toBeUndefined();
    expect(excessOf(`[${"0,".repeat(maxValues - 1)}0]`)).toBe("values");
    expect(excessOf(`[${"[],".repeat(maxValues / 2)}0]`)).toBe("values");
  });

  it("accepts invalid JSON and long strings", () => {
    expect(excessOf('"')).toBeUndefined();
    expect(excessOf('"\\')).toBeUndefined();
    expect(excessOf("]]]]")).toBeUndefined();
    expect(excessOf(`"${"\\\\".repeat(5_000_000)}"`)).toBeUndefined();
  });
});

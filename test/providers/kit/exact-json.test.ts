import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExactJson, stringifyExact } from "../../../src/providers/kit/exact-json.ts";

describe("JSON text inside a larger value", () => {
  it.each([
    '{"2":1.0,"1":12345678901234567890}',
    '{ "a" : 1e3 }',
    '{"__proto__":{"a":1}}',
    '{"$1":"$&"}',
  ])("writes the JSON text unchanged: %s", (text) => {
    const body = { before: 1, list: [{ args: new ExactJson(text) }], after: "x" };
    expect(stringifyExact(body)).toBe(`{"before":1,"list":[{"args":${text}}],"after":"x"}`);
  });

  it("writes all other values like JSON.stringify", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.json(), (value, text) => {
        const written = stringifyExact([value, new ExactJson(text), value]);
        expect(written).toBe(`[${JSON.stringify(value)},${text},${JSON.stringify(value)}]`);
      }),
    );
  });

  it("writes the parsed value with JSON.stringify", () => {
    expect(JSON.parse(JSON.stringify({ args: new ExactJson('{"a":[1]}') }))).toEqual({ args: { a: [1] } });
  });
});

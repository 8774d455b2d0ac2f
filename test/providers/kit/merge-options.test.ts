import { describe, expect, it } from "vitest";
import { ExactJson, stringifyExact } from "../../../src/providers/kit/exact-json.ts";
import { mergeOptions } from "../../../src/providers/kit/merge-options.ts";

describe("mergeOptions", () => {
  it("merges objects, appends lists and adds everything else", () => {
    const body = { tools: [{ function: 1 }], config: { inner: { a: 1 } }, mode: "OFF" };
    const options = { tools: [{ search: {} }], config: { inner: { b: 2 }, c: [3] }, mode: "ON", d: null };
    expect(mergeOptions(body, options)).toEqual({
      tools: [{ function: 1 }, { search: {} }],
      config: { inner: { a: 1, b: 2 }, c: [3] },
      mode: "ON",
      d: null,
    });
    expect(body).toEqual({ tools: [{ function: 1 }], config: { inner: { a: 1 } }, mode: "OFF" });
  });

  it("keeps the text of exact JSON beside options", () => {
    const schema = new ExactJson('{"b":1,"a":10000000000000000001}');
    expect(stringifyExact(mergeOptions({ format: { schema } }, { format: { more: 1 } }))).toBe(
      '{"format":{"schema":{"b":1,"a":10000000000000000001},"more":1}}',
    );
  });

  it("never merges into a prototype", () => {
    const merged = mergeOptions({}, JSON.parse('{"__proto__":{"a":1},"constructor":{"b":1}}'));
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"a":1},"constructor":{"b":1}}');
  });
});

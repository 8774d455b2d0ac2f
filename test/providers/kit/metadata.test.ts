import { describe, expect, it } from "vitest";
import { Metadata, otherFields } from "../../../src/providers/kit/metadata.ts";

const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

describe("provider metadata", () => {
  it("keeps the latest value, merges objects and lists, or joins text", () => {
    const metadata = new Metadata();
    for (const value of [{ a: 1, b: "x" }, {}, null, { a: 2, c: [1] }, { c: [2] }])
      metadata.add("merged", value, "merge");
    for (const value of [{ a: 1 }, { b: 2 }]) metadata.add("replaced", value);
    for (const value of [{ name: "f", text: "ab" }, { text: "ab" }]) metadata.add("joined", value, "join");
    expect(JSON.parse(metadata.toJson())).toEqual({
      merged: { a: 2, b: "x", c: [1, 2] },
      replaced: { b: 2 },
      joined: { name: "f", text: "abab" },
    });
    expect(metadata.warnings()).toEqual([]);
  });

  it("counts a value that changes often by its size, and not by its changes", () => {
    const metadata = new Metadata();
    for (let at = 0; at < 10_000; at++) metadata.add("offsets", { start: at, end: at + 10 }, "merge");
    expect(metadata.toJson()).toBe('{"offsets":{"start":9999,"end":10009}}');
  });

  it.each([
    ["large", "a".repeat(70_000)],
    ["deep", nested(40)],
  ])("omits a %s value with a warning that names it, and keeps the others", (_, value) => {
    const metadata = new Metadata();
    metadata.add("small", 1);
    metadata.add("other", value);
    metadata.add("other", "short");
    expect(metadata.toJson()).toBe('{"small":1}');
    expect(metadata.warnings()).toMatchObject([{ reason: "LEFT_OUT", message: expect.stringContaining("other") }]);
  });

  it("holds a bounded number of values, of any names", () => {
    const metadata = new Metadata();
    for (let at = 0; at < 100_000; at++) metadata.add(`name${at}`, "value", "merge");
    metadata.add("__proto__", 1);
    expect(metadata.toJson().length).toBeLessThanOrEqual(64 * 1024);
    expect(metadata.warnings()).toHaveLength(1);
  });

  it("is every field that is not known and has a value", () => {
    const fields = { known: 1, none: null, empty: [], text: "", other: false };
    expect([...otherFields(fields, new Set(["known"]))]).toEqual([["other", false]]);
    expect([...otherFields([1], new Set())]).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { members, Unread } from "../../../src/providers/kit/unread.ts";
import { createUsageReader } from "../../../src/providers/kit/usage-reader.ts";

const block = members("text_delta", { type: true, text: true, source: { url: true }, open: { "*": true } });

function namedIn(...blocks: readonly unknown[]): readonly string[] {
  const unread = new Unread();
  for (const each of blocks) unread.addMembers(each, block);
  return unread.warnings.map(({ message }) => message.replace(/^the response has (.*), which is omitted.*$/, "$1"));
}

describe("members of a known block", () => {
  it("are named once per response, by name and place, if nobody reads them", () => {
    const unknown = { type: "text_delta", text: "a", shade: 1, source: { url: "u", page: 2 }, open: { any: 3 } };
    expect(namedIn(unknown, unknown)).toEqual(["the field shade in text_delta", "the field page in text_delta.source"]);
  });

  it("are not named without a value", () => {
    expect(namedIn({ a: null, b: "", c: [], d: {} }, null, "text", [{ text: "x" }])).toEqual([]);
  });

  it("have at most 16 warnings, also with names of Object's own members", () => {
    const many = JSON.parse(`{"constructor":1,"__proto__":2,${Array.from({ length: 99 }, (_, at) => `"m${at}":1`)}}`);
    const named = namedIn(many);
    expect(named).toHaveLength(16);
    expect(named.slice(0, 2)).toEqual(["the field constructor in text_delta", "the field __proto__ in text_delta"]);
  });
});

describe("the rest of a usage", () => {
  const usage = createUsageReader({
    counts: {
      inputTokens: ["in"],
      audioInputTokens: ["kinds[kind=audio].count"],
      reasoningTokens: ["details.thoughts"],
    },
    toolMaps: ["tools"],
    silent: ["tier"],
  });

  it("has the members that nobody reads and that say something", () => {
    const kinds = [
      { kind: "audio", count: 1, seconds: 2 },
      { kind: "text", count: 3 },
    ];
    const rest = usage.rest({
      in: 1,
      kinds,
      details: { thoughts: 2, dreams: 3, naps: 0 },
      tools: { web: 1 },
      tier: "x",
    });
    expect(rest).toEqual({ kinds: [{ seconds: 2 }], details: { dreams: 3 } });
    expect(usage.rest({ in: 1, out: 0, more: { a: null, b: {} }, constructor: 4 })).toEqual({ constructor: 4 });
    expect(usage.rest(null)).toEqual({});
  });
});

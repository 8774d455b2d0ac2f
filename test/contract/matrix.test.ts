import { expect, it } from "vitest";
import { cases, headingOf, isBytes, resultOf, titleOf, wireOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { toMatrix } from "./matrix.ts";

it("prints a row per provider API and explains each numbered cell", () => {
  const { text, problems } = toMatrix(dialects, () => "passed");
  expect(problems).toEqual([]);
  const lines = text.split("\n");
  for (const dialect of dialects) {
    const cells = lines.find((line) => line.startsWith(`${titleOf(dialect)} `))?.slice(titleOf(dialect).length);
    expect(cells?.trim().split(/\s+/)).toHaveLength(cases.length + 1);
    for (const [, number] of (cells ?? "").matchAll(/[–✓](\d+)/g)) {
      expect(text).toMatch(new RegExp(`^ *${number}  \\w+ \\w+`, "m"));
    }
  }
});

it("marks a case that failed in one form or was not run", () => {
  const [dialect = expect.fail("there are no provider APIs")] = dialects;
  const failed = resultOf("plain text", "whole");
  expect(isBytes(wireOf(dialect, "whole", "plain text"))).toBe(true);
  const one = toMatrix([dialect], (heading, test) => {
    expect(heading).toBe(headingOf(dialect));
    return test === failed ? "failed" : "passed";
  });
  expect(one.problems).toEqual([`${titleOf(dialect)}: ${failed}`]);
  expect(one.text.match(/✗/g)).toHaveLength(2);
  const none = toMatrix([dialect], () => undefined);
  expect(none.problems.length).toBeGreaterThan(cases.length / 2);
});

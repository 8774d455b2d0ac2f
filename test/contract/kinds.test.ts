import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { headingOf } from "./dialect.ts";
import { kinds } from "./kinds/rows.ts";
import { isFileHold, type TestRun, toKindTable } from "./kinds/table.ts";
import { dialects } from "./load-dialects.ts";

const [first = expect.fail("there are no provider APIs")] = dialects;
const section = (...holds: (typeof kinds)[string][number]["holds"]) => ({
  Section: [{ sentence: "It holds.", holds }],
});
const run = (title: string, status = "passed"): TestRun => ({
  ...{ file: "test/a.test.ts", ancestorTitles: [headingOf(first)], title, status },
});

it("names existing files and no kind twice", () => {
  const rows = Object.values(kinds).flat();
  expect(new Set(rows.map(({ sentence }) => sentence)).size).toBe(rows.length);
  for (const { holds, sentence } of rows) {
    expect(holds.length, sentence).toBeGreaterThan(0);
    for (const hold of holds) {
      if (!isFileHold(hold)) continue;
      expect(existsSync(join(import.meta.dirname, "../..", hold.file)), hold.file).toBe(true);
    }
  }
});

it("holds a cell by a test of its form, and fails it otherwise", () => {
  const table = section({ reads: "plain text" });
  const runs = [run("reads plain text, streamed"), run("reads plain text, whole", "failed")];
  expect(toKindTable(table, [first], runs).problems).toEqual([`1: ${first.name}, whole: reads plain text`]);
  expect(
    toKindTable(table, [first], [run("reads plain text, streamed"), run("reads plain text, whole")]).problems,
  ).toEqual([]);
});

it("accepts a reason instead of a test, and prints it once", () => {
  const two = section({ test: "reads", why: () => "it has none" }, { test: "writes", why: () => "it has none" });
  const { text, problems } = toKindTable(two, [first], []);
  expect(problems).toEqual([]);
  expect(text).toMatch(/^ {2}1 {2}–1 +It holds\.$/m);
  expect(text.match(/it has none/g)).toHaveLength(1);
});

it("says why the other form cannot have what one form holds", () => {
  const table = section({ test: "reads", onlyStreamed: "a whole response has no order" });
  const { text, problems } = toKindTable(table, [first], [run("reads")]);
  expect(problems).toEqual([]);
  expect(text).toMatch(/^ {2}1 {2}✓1 +It holds\.$/m);
  expect(text).toContain(" 1  a whole response has no order");
});

it("fails without a passed test that holds all APIs", () => {
  const hold = { file: "test/a.test.ts", test: /^holds/ };
  expect(toKindTable(section(hold), [first], []).problems).toEqual(["1: test/a.test.ts: ^holds"]);
  expect(toKindTable(section(hold), [first], [run("holds a"), run("holds b")]).problems).toEqual([]);
  expect(toKindTable(section(hold), [first], [run("holds a"), run("holds b", "failed")]).problems).toHaveLength(1);
});

it("has as many cells in each row as there are provider APIs", () => {
  const { text } = toKindTable(kinds, dialects, []);
  const rows = text.split("\n").filter((line) => /^ *\d+ {2}[✓–✗·]/.test(line));
  expect(rows).toHaveLength(Object.values(kinds).flat().length);
  for (const row of rows) expect(row.match(/[✓–✗·]/g)).toHaveLength(dialects.length);
});

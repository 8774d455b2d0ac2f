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
      if (!isFileHold(hold) || hold.unconfirmed) continue;
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

it("accepts a reason instead of a test, and prints it", () => {
  const { text, problems } = toKindTable(section({ test: "reads", why: () => "it has none" }), [first], []);
  expect(problems).toEqual([]);
  expect(text).toContain(`1: it has none (${first.name} streamed, ${first.name} whole)`);
});

it("fails without a test that holds all APIs, unless it is to be confirmed", () => {
  const hold = { file: "test/a.test.ts", test: /^holds$/ };
  expect(toKindTable(section(hold), [first], []).problems).toEqual(["1: test/a.test.ts: ^holds$"]);
  expect(toKindTable(section(hold), [first], [run("holds")]).problems).toEqual([]);
  const open = toKindTable(section({ ...hold, unconfirmed: true }), [first], []);
  expect(open).toMatchObject({ problems: [], unconfirmed: ["1: test/a.test.ts: ^holds$"] });
  expect(toKindTable(section({ ...hold, unconfirmed: true }), [first], [run("holds")]).unconfirmed).toHaveLength(1);
});

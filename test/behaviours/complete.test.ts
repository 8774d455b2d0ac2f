import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { behaviours } from "./rows.ts";

it("has one test or one listed reason for each of the 220 behaviors", () => {
  const texts = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(import.meta.dirname, name), "utf8"));
  const calls = /\b(?:behaviour|notHeld|behaviourWith)\((?:[\w.()]+, )?(\d+),/g;
  const numbers = texts.flatMap((text) => [...text.matchAll(calls)].map((match) => Number(match[1])));
  expect(numbers.toSorted((a, b) => a - b)).toEqual([...behaviours.keys()].toSorted((a, b) => a - b));
});

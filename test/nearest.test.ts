import { expect, test } from "vitest";
import { nearest } from "../src/nearest.ts";

const names = ["gpt-4o", "gpt-4o-mini", "gpt-5", "llama3.1-8b"];

test.each([
  ["gpt4o", ["gpt-4o", "gpt-5"]],
  ["GPT-4O-MINI", ["gpt-4o-mini"]],
  ["llama3-8b", ["llama3.1-8b"]],
  ["claude", []],
  ["", []],
])("finds the names nearest to %s: %j", (name, expected) => {
  expect(nearest(name, names)).toEqual(expected);
});

test("returns at most the requested number of names, nearest first", () => {
  expect(nearest("gpt-4", ["gpt-5o", "gpt-4o", "gpt-4"], 2)).toEqual(["gpt-4", "gpt-4o"]);
});

import { expect, it } from "vitest";
import { type FamilyRules, rulesFor } from "../../src/models/family-rules.ts";

const table: FamilyRules<string> = {
  about: "colors of models",
  sources: [{ from: "a test", read: "2026-11-28" }],
  families: [
    { pattern: /^blue-mini-(?<major>\d+)/, versions: [["1", "azure"]] },
    {
      pattern: /^blue(?:-(?<major>\d+)(?:\.(?<minor>\d+))?)?/,
      versions: [
        ["1", "sky"],
        ["5.2", "navy"],
        ["5.10", "royal"],
      ],
    },
  ],
};

it.each([
  ["blue-0.9", "sky"],
  ["blue-1", "sky"],
  ["blue-5.1", "sky"],
  ["blue-5.2", "navy"],
  ["blue-5.9", "navy"],
  ["blue-5.10", "royal"],
  ["blue-12", "royal"],
  ["blue", "royal"],
  ["blue-latest", "royal"],
  ["blue-mini-9", "azure"],
  ["BLUE-5.2", "navy"],
  ["red-1", undefined],
])("finds the rules of %s: %s", (name, rules) => {
  expect(rulesFor(table, name)).toBe(rules);
});

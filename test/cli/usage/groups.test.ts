import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/cli/failures.ts";
import { readGroups } from "../../../src/cli/usage/groups.ts";

describe("the groups of a report", () => {
  it("are fields of calls and one label", () => {
    expect(readGroups("account, key,label:feature")).toEqual({
      names: ["account", "key", "label:feature"],
      groupBy: ["account", "key", "label"],
      labelKey: "feature",
    });
  });

  it.each([
    ["accont", '--by cannot group by "accont"; did you mean account?'],
    ["day", "--by has no steps of time; write --interval day"],
    [
      "colors",
      '--by cannot group by "colors"; write some of account, key, model, provider, route, outcome, label:<name>',
    ],
    ["account,", '--by cannot group by ""; write some of account, key, model, provider, route, outcome, label:<name>'],
    ["model,model", "--by has model twice; write it once"],
    ["label:", "--by has a label without name; write label:<name>"],
    ["label:a,label:b", "--by has two labels; write one"],
  ])("reject %s", (list, message) => {
    expect(() => readGroups(list)).toThrow(new UsageError(message));
  });
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { mergeSorted } from "../../src/accounts/merge-sorted.ts";

it("gives what sorting both lists together gives", () => {
  const sorted = fc.array(fc.string({ maxLength: 3 })).map((list) => list.sort());
  fc.assert(
    fc.property(sorted, sorted, (first, second) => {
      expect(mergeSorted(first, second)).toEqual([...first, ...second].sort());
    }),
  );
});

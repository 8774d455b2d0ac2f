import { expect, it } from "vitest";
import { PartialArguments } from "../../../src/providers/generate-content/partial-arguments.ts";

const assemble = (...partialArgs: { jsonPath: string; [value: string]: unknown }[]) => {
  const pieces = new PartialArguments();
  return pieces.add({ partialArgs }) ? pieces.json : "malformed";
};

it("assembles arguments from pieces by their JSONPath", () => {
  expect(
    assemble(
      { jsonPath: "$.city", stringValue: "New ", willContinue: true },
      { jsonPath: "$.city", stringValue: "York" },
      { jsonPath: "$.city" },
      { jsonPath: "$.days[0].at", numberValue: 1.5 },
      { jsonPath: "$.days[1]", boolValue: true },
      { jsonPath: "$['a b']", nullValue: "NULL_VALUE" },
      { jsonPath: "$.__proto__.x", stringValue: "" },
    ),
  ).toBe('{"city":"New York","days":[{"at":1.5},true],"a b":null,"__proto__":{"x":""}}');
});

it("rejects pieces without a place, and more than it may hold", () => {
  expect(assemble({ jsonPath: "$.list[7]", numberValue: 1 })).toBe("malformed");
  expect(assemble({ jsonPath: "city", numberValue: 1 })).toBe("malformed");
  expect(assemble({ jsonPath: `$${".a".repeat(129)}`, numberValue: 1 })).toBe("malformed");
  expect(assemble({ jsonPath: "$.a", stringValue: "x".repeat(5_000_000) })).toBe("malformed");
});

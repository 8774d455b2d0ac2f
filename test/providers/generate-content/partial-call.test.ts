import { expect, it } from "vitest";
import { PartialCall } from "../../../src/providers/generate-content/partial-call.ts";

const assemble = (...pieces: object[]) => {
  const call = new PartialCall("a", "f", undefined);
  return call.add(pieces) ? call.argumentsJson : "malformed";
};

it("assembles arguments from pieces by their JSONPath", () => {
  expect(
    assemble(
      { jsonPath: "$.city", stringValue: "New ", willContinue: true },
      { jsonPath: "$.city", stringValue: "York" },
      { jsonPath: "$.days[0].at", numberValue: 1.5 },
      { jsonPath: "$.days[1]", boolValue: true },
      { jsonPath: "$['a b']", nullValue: "NULL_VALUE" },
      { jsonPath: "$.__proto__.x", stringValue: "" },
    ),
  ).toBe('{"city":"New York","days":[{"at":1.5},true],"a b":null,"__proto__":{"x":""}}');
  expect(assemble({ jsonPath: "$.list[7]", numberValue: 1 })).toBe("malformed");
  expect(assemble({ jsonPath: "city", numberValue: 1 })).toBe("malformed");
  expect(assemble({ jsonPath: `$${".a".repeat(40)}`, numberValue: 1 })).toBe("malformed");
});

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { uncheckedPart } from "../../../src/chat/planning/schema/unchecked-part.ts";
import { finished, textDelta } from "../../../src/chat/stream/events.ts";
import { createJsonCheck } from "../../../src/chat/stream/json-check.ts";
import { schemaViolation } from "../../../src/chat/stream/schema-violation.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { OnInvalid, OutputFormatSchema } from "../../../src/gen/dragoman/v1/output_format_pb.js";

function check(schema: object, answer: unknown): void {
  const value = { name: "answer", schemaJson: JSON.stringify(schema) };
  const format = create(OutputFormatSchema, { format: { case: "jsonSchema", value } });
  const checkJson = createJsonCheck(format, true);
  checkJson?.(textDelta(0, 0, JSON.stringify(answer)));
  checkJson?.(finished(0, FinishReason.STOP, "stop"));
}

const numbered = (length: number) => Array.from({ length }, (_, index) => ({ index }));

it("throws if validation takes too long, and validates the next response", () => {
  const unique = { type: "array", uniqueItems: true };
  expect(() => check(unique, numbered(30_000))).toThrow(
    expect.objectContaining({
      reason: "JSON_GENERATION_FAILED",
      message: expect.stringContaining("validating the response took over 150 ms"),
    }),
  );
  expect(() => check(unique, numbered(10))).not.toThrow();
  expect(() => check(unique, [1, 1])).toThrow("did not return the requested JSON");
});

it.each([
  ["levels", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`],
  ["values", `[${"{},".repeat(2_000_000)}{}]`],
  ["different field names", `{${Array.from({ length: 240_000 }, (_, index) => `"k${index}":1`).join()}}`],
])("throws before it parses JSON with too many %s", (_, text) => {
  const format = create(OutputFormatSchema, { format: { case: "jsonObject", value: {} } });
  const checkJson = createJsonCheck(format);
  checkJson?.(textDelta(0, 0, text));
  expect(() => checkJson?.(finished(0, FinishReason.STOP, "stop"))).toThrow(
    expect.objectContaining({
      reason: "JSON_GENERATION_FAILED",
      message: expect.stringContaining("the model's JSON has more than 128 levels, 250000 values"),
    }),
  );
});

type Format = Exclude<MessageInitShape<typeof OutputFormatSchema>, { $typeName: string }>;

/** Returns the violation with which a check returns a text. */
function violationOf(format: Format, text: string, reason = FinishReason.STOP) {
  const checkJson = createJsonCheck(create(OutputFormatSchema, { ...format, onInvalid: OnInvalid.RETURN }), true);
  checkJson?.(textDelta(0, 0, text));
  const event = checkJson?.(finished(0, reason, "stop"));
  return event?.case === "finished" ? event.value.outputViolation : expect.fail("the event changed its kind");
}

const jsonObject: Format = { format: { case: "jsonObject", value: {} } };
const jsonSchema = (schema: object): Format => ({
  format: { case: "jsonSchema", value: { name: "answer", schemaJson: JSON.stringify(schema) } },
});
const city = jsonSchema({ properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false });

describe("output that is returned although it is not the requested JSON", () => {
  it.each<[name: string, format: Format, text: string, message: string, instancePath: string, schemaPath: string]>([
    ["text", jsonObject, "Paris", "the output is not JSON", "", ""],
    ["a list", jsonObject, "[1]", "the output is JSON, but not an object", "", ""],
    ["text for a schema", city, "{", "the output is not JSON", "", ""],
    ["a wrong type", city, '{"city":1}', 'Expected "string"', "/city", "/properties/city/type"],
    ["a missing property", city, "{}", 'required property "city"', "", "/required"],
    ["another property", city, '{"city":"a","b c":1}', 'Property "b c"', "/b c", "/additionalProperties"],
    [
      "a wrong item of an item",
      jsonSchema({ items: { items: { enum: [1] } } }),
      "[[1],[1,2]]",
      "any of [1]",
      "/1/1",
      "/items/items/enum",
    ],
    [
      "a property with an unusual name",
      jsonSchema({ properties: { "a/b~ é#%": { minimum: 3 } } }),
      '{"a/b~ é#%":1}',
      "1 is less than 3",
      "/a~1b~0 é#%",
      "/properties/a~1b~0 é#%/minimum",
    ],
    [
      "no alternative",
      jsonSchema({ properties: { a: { anyOf: [{ type: "string" }, { type: "null" }] } } }),
      '{"a":1}',
      "any subschemas",
      "/a",
      "/properties/a/anyOf",
    ],
    ["half a character", city, '{"\\ud800":1}', "", "", ""],
  ])("has the first violation and its paths: %s", (_, format, text, message, instancePath, schemaPath) => {
    const violation = violationOf(format, text);
    if (message !== "") expect(violation).toMatchObject({ instancePath, schemaPath });
    expect(violation?.message).toContain(message);
    expect(violation?.message.isWellFormed()).toBe(true);
  });

  it("has no violation if it is the requested JSON, a tool call or filtered", () => {
    expect(violationOf(city, '{"city":"Oslo"}')).toBeUndefined();
    expect(violationOf(city, "", FinishReason.TOOL_CALLS)).toBeUndefined();
    expect(violationOf(city, "no", FinishReason.CONTENT_FILTER)).toBeUndefined();
  });

  it("says that the token limit cut it", () => {
    const violation = violationOf(city, '{"city":"Os', FinishReason.LENGTH);
    expect(violation?.message).toContain("reached the token limit");
  });

  it("says that it was too large to be validated", () => {
    const violation = violationOf(jsonSchema({ uniqueItems: true }), JSON.stringify(numbered(30_000)));
    expect(violation?.message).toContain("validating the response took over 150 ms");
    expect(violationOf(jsonObject, `[${"{},".repeat(2_000_000)}{}]`)?.message).toContain("250000 values");
  });
});

describe("schemas with keywords of other dialects and engines", () => {
  it.each([
    [{ type: "number", minimum: 0, exclusiveMinimum: true }, [0.5, 1], [0, -1]],
    [{ type: "number", minimum: 0, exclusiveMinimum: false }, [0, 1], [-1]],
    [{ type: "integer", maximum: 9, exclusiveMaximum: true, nullable: true }, [8, null], [9]],
    [{ type: "integer", exclusiveMinimum: 3 }, [4], [3]],
    [{ type: "string", pattern: String.raw`^\d{4}\-[\w\-]+\@\_x\/$` }, ["2026-a-b@_x/"], ["2026a-b@_x/", "2026-a"]],
    [
      { type: "object", patternProperties: { "^x\\-": { type: "string" } }, additionalProperties: false },
      [{ "x-a": "b" }],
      [{ "x-a": 1 }, { xa: "b" }],
    ],
    [
      { type: "object", properties: { pattern: { type: "string" }, nullable: { type: "number" } } },
      [{ pattern: "(" }],
      [{ pattern: 1 }],
    ],
  ])("%j has its usual meaning", (schema, valid, invalid) => {
    const text = JSON.stringify(schema);
    for (const value of valid) expect(schemaViolation(text, value), JSON.stringify(value)).toBeUndefined();
    for (const value of invalid) expect(schemaViolation(text, value), JSON.stringify(value)).toBeDefined();
    expect(uncheckedPart(schema)).toBeUndefined();
  });
});

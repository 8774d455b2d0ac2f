import { describe, expect, it } from "vitest";
import { toGrammarSchema } from "../../../src/providers/local/grammar-schema.ts";

const anyJson = toGrammarSchema({}).schema;

describe("a JSON Schema for the engine", () => {
  it("keeps what the engine enforces", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string", maxLength: 20 },
        tags: { type: "array", items: { enum: ["a", "b", null] }, minItems: 1 },
        born: { type: "string", format: "date" },
      },
      additionalProperties: false,
    };
    expect(toGrammarSchema({ ...schema, title: "Person", required: ["name"] })).toEqual({ schema, unenforced: [] });
  });

  it("names what the engine cannot enforce, and leaves it out", () => {
    const schema = {
      type: "object",
      properties: { age: { type: "integer", minimum: 0 }, code: { type: "string", pattern: "^x" } },
      not: {},
    };
    expect(toGrammarSchema(schema)).toEqual({
      schema: { type: "object", properties: { age: { type: "integer" }, code: { type: "string" } } },
      unenforced: ["minimum", "pattern", "not"],
    });
  });

  it("reads several types as one of several schemas, each with its own keywords", () => {
    expect(toGrammarSchema({ type: ["string", "null"], minLength: 1 })).toEqual({
      schema: { oneOf: [{ type: "string", minLength: 1 }, { type: "null" }] },
      unenforced: [],
    });
  });

  it("reads anyOf, older definitions and types that go without saying", () => {
    const schema = { anyOf: [{ $ref: "#/definitions/Node" }, { properties: { x: true } }], definitions: { Node: {} } };
    expect(toGrammarSchema(schema)).toEqual({
      schema: {
        oneOf: [{ $ref: "#/$defs/Node" }, { type: "object", properties: { x: anyJson } }],
        $defs: { Node: anyJson },
      },
      unenforced: [],
    });
  });

  it("takes an object without properties for any object", () => {
    expect(toGrammarSchema({ type: "object" }).schema).toEqual({ type: "object", additionalProperties: true });
  });

  it("does not follow references that lead nowhere", () => {
    expect(toGrammarSchema({ $ref: "#/elsewhere" })).toEqual({ schema: anyJson, unenforced: ["$ref"] });
  });

  it("changes nothing in a schema that it made", () => {
    const { schema } = toGrammarSchema({ type: "object", properties: { any: {}, list: { type: "array" } } });
    expect(toGrammarSchema(schema)).toEqual({ schema, unenforced: [] });
  });
});

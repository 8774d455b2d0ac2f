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

  it("omits and reports what the engine cannot enforce", () => {
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

  it("converts several types to oneOf, each with its own keywords", () => {
    expect(toGrammarSchema({ type: ["string", "null"], minLength: 1 })).toEqual({
      schema: { oneOf: [{ type: "string", minLength: 1 }, { type: "null" }] },
      unenforced: [],
    });
  });

  it("converts anyOf, older definitions and implied types", () => {
    const schema = { anyOf: [{ $ref: "#/definitions/Node" }, { properties: { x: true } }], definitions: { Node: {} } };
    expect(toGrammarSchema(schema)).toEqual({
      schema: {
        oneOf: [{ $ref: "#/$defs/Node" }, { type: "object", properties: { x: anyJson } }],
        $defs: { Node: anyJson },
      },
      unenforced: [],
    });
  });

  it("allows any object for an object without properties", () => {
    expect(toGrammarSchema({ type: "object" }).schema).toEqual({ type: "object", additionalProperties: true });
  });

  it("omits references without a target", () => {
    expect(toGrammarSchema({ $ref: "#/elsewhere" })).toEqual({ schema: anyJson, unenforced: ["$ref"] });
  });

  it("does not change a schema that it already converted", () => {
    const { schema } = toGrammarSchema({ type: "object", properties: { any: {}, list: { type: "array" } } });
    expect(toGrammarSchema(schema)).toEqual({ schema, unenforced: [] });
  });
});

import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitSchema } from "../../../src/chat/planning/schema/fit-schema.ts";
import type { SchemaRules, SchemaTarget } from "../../../src/chat/planning/schema/schema-rules.ts";
import * as schemaRules from "../../../src/providers/kit/schema-rules.ts";

interface Sample {
  readonly schema: Record<string, unknown> | true;
  readonly value: unknown;
}

const isNone = (values: readonly unknown[]) => values.length === 0;

/** Keywords that hold for a value, and may be in its schema. */
const numberKeywords = (value: number) => ({
  minimum: fc.constant(value - 1),
  maximum: fc.constant(value + 1),
  exclusiveMinimum: fc.constant(value - 2),
  multipleOf: fc.constant(1),
});
const stringKeywords = (value: string) => ({
  minLength: fc.constant(0),
  maxLength: fc.constant(value.length + 1),
  pattern: fc.constant("^"),
  format: fc.constantFrom("unknown", "x-other"),
});
const tellings = {
  description: fc.constantFrom("what it is", ""),
  title: fc.constant("Title"),
  default: fc.constant(null),
  examples: fc.constant([1]),
  $comment: fc.constant("note"),
};

const scalars: fc.Arbitrary<Sample> = fc.oneof(
  fc.integer({ min: -9, max: 9 }).chain((value) =>
    fc
      .record(
        {
          type: fc.constantFrom("number", "integer", ["integer", "null"], ["string", "number"]),
          ...tellings,
          ...numberKeywords(value),
        },
        { requiredKeys: ["type"] },
      )
      .map((schema) => ({ schema, value })),
  ),
  fc.constantFrom("", "a", "abc").chain((value) =>
    fc
      .record(
        {
          type: fc.constantFrom("string", ["string", "null"]),
          ...tellings,
          ...stringKeywords(value),
          nullable: fc.boolean(),
        },
        { requiredKeys: ["type"] },
      )
      .map((schema) => ({ schema, value })),
  ),
  fc.constantFrom("a", 1, null, true).map((value) => ({ schema: { const: value }, value })),
  fc.constantFrom("a", 1, null).map((value) => ({ schema: { enum: [value, "other", 7] }, value })),
  fc.constant({ schema: { type: "null" }, value: null }),
  fc.boolean().map((value) => ({ schema: { type: "boolean" }, value })),
);

const names = fc.constantFrom("a", "b", "type", "properties", "$ref", "__proto__", "minimum", "x/y~z");

function objects(inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> {
  const property = fc.record({ name: names, sample: inner, isRequired: fc.boolean(), isPresent: fc.boolean() });
  return fc
    .record({
      list: fc.uniqueArray(property, { maxLength: 4, selector: ({ name }) => name }),
      closed: fc.constantFrom(undefined, false),
      typed: fc.boolean(),
      extra: fc.record(
        { minProperties: fc.constant(0), maxProperties: fc.constant(9), propertyNames: fc.constant({}) },
        { requiredKeys: [] },
      ),
      further: fc.oneof(
        { weight: 7, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.tuple(fc.constantFrom("patternProperties", "additionalProperties"), inner) },
      ),
    })
    .map(({ list, closed, typed, extra, further }) => {
      const [keyword, more] = further ?? [];
      const pattern = keyword === "patternProperties" && { patternProperties: { "^further": more?.schema } };
      const required = list.filter(({ isRequired }) => isRequired).map(({ name }) => name);
      const present = list.filter(({ isRequired, isPresent }) => isRequired || isPresent);
      return {
        schema: {
          ...(typed && { type: "object" }),
          ...extra,
          properties: Object.fromEntries(list.map(({ name, sample }) => [name, sample.schema])),
          ...(!isNone(required) && { required }),
          ...pattern,
          ...(closed === false && { additionalProperties: false }),
          ...(keyword === "additionalProperties" && { additionalProperties: more?.schema }),
        },
        value: {
          ...Object.fromEntries(present.map(({ name, sample }) => [name, sample.value])),
          ...(further && { further: more?.value }),
        },
      };
    });
}

const lists = (inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc.oneof(
    inner.chain(({ schema, value }) =>
      fc
        .record(
          {
            type: fc.constant("array"),
            items: fc.constant(schema),
            minItems: fc.constantFrom(0, 1, 2),
            maxItems: fc.constant(5),
            uniqueItems: fc.constant(false),
            contains: fc.constant({}),
          },
          { requiredKeys: ["items"] },
        )
        .map((list) => ({ schema: list, value: [value, value] })),
    ),
    fc.tuple(inner, inner).map(([one, other]) => ({
      schema: { type: "array", prefixItems: [one.schema, other.schema], items: false },
      value: [one.value, other.value],
    })),
  );

const unions = (inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc.oneof(
    fc.tuple(inner, inner).map(([one, other]) => ({ schema: { anyOf: [one.schema, other.schema] }, value: one.value })),
    inner.map(({ schema, value }) => ({ schema: { allOf: [schema, true] }, value })),
    inner.map(({ schema, value }) => ({ schema: { oneOf: [schema] }, value })),
    inner.map(({ schema, value }) => ({ schema: { not: { const: "nothing like it" }, anyOf: [schema] }, value })),
    inner.map(({ schema, value }) => ({ schema: { if: { const: "nothing" }, else: true, anyOf: [schema] }, value })),
  );

const samples: fc.Arbitrary<Sample> = fc.letrec<{ any: Sample; object: Sample }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalars,
    objects(tie("any")),
    lists(tie("any")),
    unions(tie("any")),
  ),
  object: fc.oneof(objects(tie("any")), unions(objects(tie("any")))),
})).object;

/** A schema whose parts are definitions that it refers to. */
const withReferences: fc.Arbitrary<Sample> = fc
  .tuple(samples, samples, fc.constantFrom("$defs", "definitions"))
  .map(([one, other, place]) => ({
    schema: {
      type: "object",
      properties: {
        one: { $ref: `#/${place}/One` },
        other: { $ref: `#/${place}/x~1y`, description: "the other" },
        both: { allOf: [{ $ref: `#/${place}/One` }] },
      },
      required: ["one", "other", "both"],
      [place]: { One: one.schema, "x/y": other.schema },
    },
    value: { one: one.value, other: other.value, both: one.value },
  }));

const targets: readonly (readonly [string, SchemaRules])[] = Object.entries(schemaRules).flatMap(([name, target]) => {
  if (!name.endsWith("Schemas") || typeof target === "function") return [];
  const { output, tools }: SchemaTarget = target as SchemaTarget;
  const rules = { output: output?.constrained, other: output?.other, strict: tools?.strict, tool: tools?.other };
  return Object.entries(rules).flatMap(([place, one]) =>
    one === undefined ? [] : [[`${name} ${place}`, one] as const],
  );
});

/** Yields every schema inside a schema that has only keywords of structured outputs. */
function* inside(schema: unknown): Generator<Record<string, unknown>> {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return;
  const {
    properties = {},
    $defs = {},
    items,
    anyOf = [],
    oneOf = [],
    prefixItems = [],
    additionalProperties,
  } = schema as Record<string, object>;
  yield schema as Record<string, unknown>;
  for (const list of [
    Object.values(properties),
    Object.values($defs),
    anyOf,
    oneOf,
    prefixItems,
    [items, additionalProperties],
  ]) {
    for (const inner of Object.values(list)) yield* inside(inner);
  }
}

/** Returns what an API with these rules rejects in a schema. Written from the documents, apart from the code. */
function rejectedIn(sent: Record<string, unknown>, rules: SchemaRules): readonly string[] {
  const found: string[] = [];
  if (rules.root === "object" && sent.type !== "object") found.push("root type");
  if (rules.root !== undefined)
    for (const word of ["anyOf", "oneOf", "allOf", "not", "enum"]) if (word in sent) found.push(`root ${word}`);
  for (const schema of rules.keywords === undefined ? [] : inside(sent)) {
    const {
      type,
      properties = {},
      required = [],
    } = schema as { type?: unknown; properties?: object; required?: string[] };
    for (const word of Object.keys(schema))
      if (word !== "$defs" && !rules.keywords?.has(word) && word !== "prefixItems") found.push(word);
    if (rules.typed && type === undefined && !["anyOf", "$ref", "oneOf"].some((word) => word in schema))
      found.push("no type");
    if (type !== "object" && "properties" in schema) found.push("properties without object");
    if (rules.oneType && Array.isArray(type)) found.push("list of types");
    if (rules.closed && type === "object" && schema.additionalProperties !== false) found.push("open object");
    if (rules.allRequired && Object.keys(properties).some((name) => !required.includes(name)))
      found.push("optional property");
    if (rules.someRequired && type === "object" && required.length === 0) found.push("nothing required");
    if (rules.itemsRequired && type === "array" && !("items" in schema)) found.push("array without items");
    if (typeof schema.minItems === "number" && schema.minItems > (rules.mostMinItems ?? 99)) found.push("minItems");
    if ("$ref" in schema && Object.keys(schema).length > 1 + Number("$defs" in schema)) found.push("$ref with others");
  }
  return found;
}

const accepts = (schema: object, value: unknown) => new Validator(schema as object, "2020-12").validate(value).valid;

describe.each(targets)("schemas for %s", (_, rules) => {
  it("contain nothing that the API rejects, and accept every value that the caller's schema accepts", () => {
    let fitted = 0;
    fc.assert(
      fc.property(fc.oneof(samples, withReferences), ({ schema, value }) => {
        if (schema === true) return;
        const json = JSON.stringify(schema);
        expect(accepts(schema, value)).toBe(true);
        const result = fitSchema(json, rules);
        if ("unfit" in result) return;
        fitted++;
        const sent = JSON.parse(result.json);
        expect(rejectedIn(sent, rules)).toEqual([]);
        expect(accepts(sent, value)).toBe(true);
        // The API accepts its own schemas, and Dragoman then sends them unchanged.
        const again = fitSchema(result.json, rules);
        expect(again).toEqual({ json: result.json, moved: [] });
      }),
      { numRuns: 300 },
    );
    expect(fitted).toBeGreaterThan(5);
  });
});

describe("schemas that are too large for an API", () => {
  const closed = (properties: object, required = Object.keys(properties)) => ({
    ...{ type: "object", properties, required, additionalProperties: false },
  });
  const text = { type: "string" };
  const some = (count: number, schema: object) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, schema]));
  const nested = (levels: number): object => closed({ a: levels === 1 ? text : nested(levels - 1) });
  const words = (count: number, length = 4) =>
    closed({ a: { type: "string", enum: Array.from({ length: count }, (_, index) => `${index}`.padStart(length)) } });
  const union = { type: ["string", "null"] };
  const { openAiSchemas, azureSchemas, claudeSchemas } = schemaRules;

  it.each([
    ["openAiSchemas", openAiSchemas, nested(10), nested(11), "levels of objects"],
    ["azureSchemas", azureSchemas, nested(5), nested(6), "levels of objects"],
    ["azureSchemas", azureSchemas, closed(some(100, text)), closed(some(101, text)), "properties"],
    ["openAiSchemas", openAiSchemas, words(1000), words(1001), "enum values"],
    ["openAiSchemas", openAiSchemas, words(250, 100), words(251, 100), "characters in a long enum"],
    ["openAiSchemas", openAiSchemas, words(240, 499), words(240, 500), "characters of names and enum values"],
    ["claudeSchemas", claudeSchemas, closed(some(24, text), []), closed(some(25, text), []), "optional properties"],
    ["claudeSchemas", claudeSchemas, closed(some(16, union)), closed(some(17, union)), "schemas with several types"],
  ])("%s reject them: $4", (_, { output }: SchemaTarget, fits, exceeds, limit) => {
    const rules = output?.constrained ?? {};
    expect(fitSchema(JSON.stringify(fits), rules)).toMatchObject({ moved: [] });
    expect(fitSchema(JSON.stringify(exceeds), rules)).toMatchObject({ unfit: expect.stringContaining(limit) });
  });

  it("count the levels behind references, and end at recursion", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 11 }, (_, index) => [`n${index}`, closed({ a: { $ref: `#/$defs/n${index + 1}` } })]),
    );
    const deep = { ...closed({ a: { $ref: "#/$defs/n0" } }), $defs: { ...chain, n11: closed({ a: text }) } };
    const rules = openAiSchemas.output?.constrained ?? {};
    expect(fitSchema(JSON.stringify(deep), rules)).toMatchObject({ unfit: expect.stringContaining("levels") });
    const list = closed({ next: { anyOf: [{ $ref: "#" }, { type: "null" }] } });
    expect(fitSchema(JSON.stringify(list), rules)).toMatchObject({ moved: [] });
  });
});

it.each([
  ["the root", { type: "object", properties: { kids: { type: "array", items: { $ref: "#" } } } }, "kids"],
  [
    "a definition",
    {
      ...{ type: "object", properties: { list: { $ref: "#/$defs/L" } }, required: ["list"] },
      $defs: { L: { type: "object", properties: { next: { anyOf: [{ $ref: "#/$defs/L" }, { type: "null" }] } } } },
    },
    "next",
  ],
])("Gemini accepts %s that refers to itself only in an optional property", (place, schema, name) => {
  const rules = schemaRules.geminiSchemas.output?.constrained ?? {};
  expect(fitSchema(JSON.stringify(schema), rules)).toEqual({ json: JSON.stringify(schema), moved: [] });
  const within = structuredClone(schema) as Record<string, unknown>;
  if (place === "the root") within.required = [name];
  else Object.assign((within.$defs as { L: object }).L, { required: [name] });
  expect(fitSchema(JSON.stringify(within), rules)).toMatchObject({
    unfit: expect.stringContaining("required property"),
  });
});

describe("the named keywords", () => {
  const part = (properties: object) => ({ type: "object", properties, required: Object.keys(properties) });
  const closed = { additionalProperties: false };
  const moved = (schema: object, { output }: SchemaTarget) => {
    const result = fitSchema(JSON.stringify(schema), output?.constrained ?? {});
    return "unfit" in result ? result.unfit : result.moved.map(({ keyword, at }) => `${keyword} ${at}`);
  };
  const text = { type: "string" };
  const { claudeSchemas, geminiSchemas } = schemaRules;

  it("are those that the caller wrote", () => {
    const two = {
      oneOf: [
        { ...part({ a: text }), ...closed },
        { ...part({ b: text }), ...closed },
      ],
    };
    expect(moved(two, claudeSchemas)).toEqual(["oneOf /"]);
    const pair = { type: "array", items: [text, text], additionalItems: false };
    expect(moved({ ...part({ pair }), ...closed }, claudeSchemas)).toEqual([
      "additionalItems /properties/pair",
      "items /properties/pair",
    ]);
  });

  it("are none if the sent schema has the same meaning", () => {
    const properties = { a: text, b: text };
    const either = { type: "object", properties, anyOf: [{ required: ["a"] }, { required: ["b"] }], ...closed };
    expect(moved(either, geminiSchemas)).toEqual([]);
  });

  it("contain allOf if a closed part and an open one have different names", () => {
    for (const open of [part({ b: text }), { ...part({}), patternProperties: { "^x": text } }]) {
      expect(moved({ allOf: [{ ...part({ a: text }), ...closed }, open] }, geminiSchemas)).toContain("allOf /");
    }
  });
});

it.each(targets)("integers beyond 2^53 keep their digits in schemas for %s", (_, rules) => {
  const large = "9007199254740993";
  const schema = `{
    "type": "object",
    "properties": {
      "bounded": {"type": "integer", "minimum": -${large}, "maximum": 18446744073709551615},
      "one": {"const": ${large}}, "some": {"enum": [${large}, "x", 7]}, "listed": {"type": "integer", "enum": [${large}]}
    },
    "required": ["bounded", "one", "some", "listed"], "additionalProperties": false,
    "allOf": [{"properties": {"bounded": {"maximum": ${large}}}}]
  }`;
  const result = fitSchema(schema, rules);
  if ("unfit" in result) return expect.fail(result.unfit);
  expect(result.json.match(/\d{12,}/g)?.every((digits) => [large, "18446744073709551615"].includes(digits))).toBe(true);
  expect(result.json.match(new RegExp(large, "g"))?.length).toBeGreaterThanOrEqual(4);
  if (rules.typed) {
    const { properties } = JSON.parse(result.json);
    expect(properties.one.type).toBe("integer");
    expect(JSON.stringify(properties.some)).toContain('"integer"');
  }
});

import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { emulateSchema as emulate } from "../../../src/chat/planning/emulate-schema.ts";
import { completed, finished, textDelta } from "../../../src/chat/stream/events.ts";
import { createJsonCheck } from "../../../src/chat/stream/json-check.ts";
import { GatewayError } from "../../../src/errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { OnInvalid, type OutputFormat } from "../../../src/gen/dragoman/v1/output_format_pb.js";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const ask = (schemaJson: string): ChatRequest =>
  create(ChatRequestSchema, {
    model: "m",
    messages: [{ role: Role.USER, parts: [{ kind: { case: "text", value: "hi" } }] }],
    outputFormat: { format: { case: "jsonSchema", value: { name: "answer", schemaJson } } },
  });
const rejectsNone = () => false;
const emulateSchema = (chat: ChatRequest, model: Model, rejects: (chat: ChatRequest) => boolean) =>
  emulate(startDraft(chat), {
    model,
    schemas: undefined,
    checkSupport: (checked) =>
      rejects(checked) ? [{ kind: "REJECTED", field: ["output_format", "json_schema"], message: "no" }] : [],
  });
const modelWith = (capabilities: { jsonSchema: boolean; jsonObject?: boolean }) =>
  create(ModelSchema, { id: "m", capabilities });

describe("a JSON Schema for a model without schema support", () => {
  it("replaces the schema with JSON object output, a system message and a warning", () => {
    const { request, adaptations } = emulateSchema(
      ask(JSON.stringify(schema)),
      modelWith({ jsonSchema: false, jsonObject: true }),
      rejectsNone,
    );
    expect(request.outputFormat?.format.case).toBe("jsonObject");
    expect(request.messages[0]?.role).toBe(Role.SYSTEM);
    expect(request.messages[0]?.parts[0]?.kind.value).toContain(JSON.stringify(schema));
    expect(adaptations).toMatchObject([{ kind: "EMULATED", field: ["output_format", "json_schema"] }]);
  });

  it("requests no JSON object if the model or the schema does not allow one", () => {
    const list = '{"type":"array"}';
    expect(
      emulateSchema(ask(JSON.stringify(schema)), modelWith({ jsonSchema: false }), rejectsNone).request.outputFormat,
    ).toBeUndefined();
    expect(
      emulateSchema(ask(list), modelWith({ jsonSchema: false, jsonObject: true }), rejectsNone).request.outputFormat,
    ).toBeUndefined();
  });

  it.each([
    ["$ref", "#/$defs/absent"],
    ["$ref", "https://example.com/schema"],
    ["$dynamicRef", "#node"],
    ["pattern", "("],
    ["patternProperties", { "[": {} }],
  ])("rejects a schema with a %s that Dragoman cannot validate", (key, value) => {
    const { adaptations } = emulateSchema(
      ask(JSON.stringify({ properties: { a: { [key]: value } } })),
      modelWith({ jsonSchema: false }),
      rejectsNone,
    );
    expect(adaptations).toMatchObject([{ kind: "REJECTED" }]);
    expect(adaptations[0]?.message).toMatch(/cannot validate/);
  });

  it.each([
    { $ref: "#/$defs/a", $defs: { a: { type: "object", properties: { next: { $ref: "#/$defs/a" } } } } },
    { properties: { a: { pattern: "^(a+)+$" }, b: { patternProperties: { "^x": { type: "string" } } } } },
  ])("emulates a schema with references or patterns (%#)", (referring) => {
    const { adaptations } = emulateSchema(
      ask(JSON.stringify(referring)),
      modelWith({ jsonSchema: false }),
      rejectsNone,
    );
    expect(adaptations).toMatchObject([{ kind: "EMULATED" }]);
  });

  it.each([
    { type: "object", properties: { pattern: { type: "string" }, $ref: { type: "string" } } },
    { type: "object", required: ["pattern"], default: { pattern: "x" }, properties: { a: { enum: [{ pattern: 1 }] } } },
  ])("emulates a schema whose property names and values look like keywords (%#)", (named) => {
    const { adaptations } = emulateSchema(ask(JSON.stringify(named)), modelWith({ jsonSchema: false }), rejectsNone);
    expect(adaptations).toMatchObject([{ kind: "EMULATED" }]);
  });

  it("finds a keyword inside a property whose name is a keyword", () => {
    const nested = { properties: { properties: { properties: { pattern: { pattern: "(" } } } } };
    const { adaptations } = emulateSchema(ask(JSON.stringify(nested)), modelWith({ jsonSchema: false }), rejectsNone);
    expect(adaptations).toMatchObject([{ kind: "REJECTED" }]);
  });

  it("does not change the request if the model supports schemas or is unknown", () => {
    const chat = ask(JSON.stringify(schema));
    const unchanged = startDraft(chat);
    expect(emulateSchema(chat, modelWith({ jsonSchema: true }), rejectsNone)).toEqual(unchanged);
    expect(emulateSchema(chat, create(ModelSchema, { id: "m" }), rejectsNone)).toEqual(unchanged);
  });

  it("requests a JSON object if the provider supports it but no schema", () => {
    const chat = ask(JSON.stringify(schema));
    const formatOf = (rejected: readonly (string | undefined)[]) =>
      emulateSchema(chat, create(ModelSchema, { id: "m" }), ({ outputFormat }) =>
        rejected.includes(outputFormat?.format.case),
      ).request.outputFormat?.format.case;
    expect(formatOf(["jsonSchema"])).toBe("jsonObject");
    expect(formatOf(["jsonSchema", "jsonObject"])).toBeUndefined();
  });
});

describe("validating a response", () => {
  const answer = (text: string, againstSchema: boolean) => {
    const check = createJsonCheck(ask(JSON.stringify(schema)).outputFormat, againstSchema);
    for (const event of [textDelta(0, 0, text), finished(0, FinishReason.STOP, "stop"), completed({})]) check?.(event);
  };

  it.each(['{"city":"Paris"}', '{"city":"Paris","more":1}'])("accepts %s", (text) => {
    expect(() => answer(text, true)).not.toThrow();
  });

  it.each(['{"city":1}', "{}", "[]", '{"city":', "Paris"])("rejects %s and returns it in the error", (text) => {
    try {
      answer(text, true);
      expect.fail("must be rejected");
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      expect(error.reason).toBe("JSON_GENERATION_FAILED");
      expect(error.facts.failedGeneration).toBe(text);
    }
  });

  it("does not validate against the schema if the model supports schemas", () => {
    expect(() => answer('{"city":1}', false)).not.toThrow();
    expect(() => answer('{"city":', false)).toThrow(GatewayError);
  });

  it("finds violations behind references, and accepts null where the schema is nullable", () => {
    const referring = {
      type: "object",
      properties: { a: { $ref: "#/$defs/A" }, n: { type: "string", enum: ["x"], nullable: true } },
      $defs: { A: { type: "string", pattern: "^x" } },
    };
    const check = (text: string) => {
      const format = { ...ask(JSON.stringify(referring)).outputFormat, onInvalid: OnInvalid.RETURN } as OutputFormat;
      const validate = createJsonCheck(format, true);
      validate?.(textDelta(0, 0, text));
      const event = validate?.(finished(0, FinishReason.STOP, "stop"));
      return event?.case === "finished" ? event.value.outputViolation : undefined;
    };
    expect(check('{"a":"xy","n":null}')).toBeUndefined();
    expect(check('{"a":"y"}')).toMatchObject({ instancePath: "/a", schemaPath: "/properties/a/$ref/pattern" });
    expect(check('{"n":"y"}')).toMatchObject({ instancePath: "/n" });
  });
});

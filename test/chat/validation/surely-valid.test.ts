import {
  create,
  createFileRegistry,
  type DescMessage,
  type Message,
  type MessageInitShape,
  ScalarType,
  setExtension,
} from "@bufbuild/protobuf";
import { FieldDescriptorProto_Type, FieldOptionsSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSurelyValid } from "../../../src/chat/validation/surely-valid.ts";
import {
  type FieldRulesSchema,
  field,
  file_buf_validate_validate,
  Ignore,
} from "../../../src/gen/buf/validate/validate_pb.js";
import { RotateKeyRequestSchema } from "../../../src/gen/dragoman/admin/v1/key_service_pb.js";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { GenerationParametersSchema } from "../../../src/gen/dragoman/v1/parameters_pb.js";
import { messagesIn } from "../../../src/wire/plain-messages.ts";
import { anyMessage } from "../../support/any-message.ts";
import { contractRequests } from "../../support/contract-messages.ts";

const validator = createValidator();

function isValid(schema: DescMessage, message: Message): boolean {
  return validator.validate(schema, message).kind === "valid";
}

/** All messages of requests: the smaller ones are more often valid. */
const schemas = [...new Set(contractRequests.flatMap((request) => [...messagesIn(request)]))].filter(({ file }) =>
  file.proto.package.startsWith("dragoman."),
);

/** Lengths and numbers around the bounds of the contract. */
const lengths = [0, 1, 16, 64, 65, 128, 129, 256, 257, 1024, 1025];
const numbers = [0, 1, -1, -2, -2.1, 2, 2.1, 0.01, 5, 8, 20, 21, 100, -100, -101, 128, 129];
const integers = numbers.filter(Number.isInteger);
const options = {
  enums: fc.integer({ min: 0, max: 5 }),
  scalars: {
    [ScalarType.STRING]: fc.oneof(
      fc.constantFrom(...lengths.map((length) => "x".repeat(length))),
      fc.constantFrom("get_weather", "get weather"),
    ),
    [ScalarType.DOUBLE]: fc.constantFrom(...numbers, Number.NaN, Number.POSITIVE_INFINITY),
    [ScalarType.INT32]: fc.constantFrom(...integers),
    [ScalarType.INT64]: fc.constantFrom(...integers.map(BigInt)),
  },
};

const messages = fc
  .constantFrom(...schemas)
  .chain((schema) => anyMessage(schema, options).map((message) => ({ schema, message })));

describe("isSurelyValid", () => {
  it("agrees with protovalidate about messages of requests", () => {
    const seen = { valid: 0, invalid: 0 };
    fc.assert(
      fc.property(messages, ({ schema, message }) => {
        const expected = isValid(schema, message);
        seen[expected ? "valid" : "invalid"]++;
        // Rules of durations are left to protovalidate.
        if (schema === RotateKeyRequestSchema && !isSurelyValid(schema, message)) return;
        expect(isSurelyValid(schema, message)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(300);
  });

  it("is never sure of a message that protovalidate rejects, with any characters", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 300, size: "max" });
    const withText = { ...options, scalars: { ...options.scalars, [ScalarType.STRING]: text } };
    const any = fc
      .constantFrom(...schemas)
      .chain((schema) => anyMessage(schema, withText).map((message) => ({ schema, message })));
    fc.assert(
      fc.property(any, ({ schema, message }) => {
        expect(isSurelyValid(schema, message) && !isValid(schema, message)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("agrees with CEL about top_logprobs", () => {
    const parameters: fc.Arbitrary<MessageInitShape<typeof GenerationParametersSchema>> = fc.record(
      { topLogprobs: fc.constantFrom(0, 1, 20), logprobs: fc.boolean() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(parameters, (init) => {
        const message = create(GenerationParametersSchema, init);
        expect(isSurelyValid(GenerationParametersSchema, message)).toBe(isValid(GenerationParametersSchema, message));
      }),
    );
  });

  it("is sure of lists and texts as long as they may be", () => {
    const text = { kind: { case: "text", value: "hi" } } as const;
    const request = create(ChatRequestSchema, {
      model: "m".repeat(256),
      messages: Array.from({ length: 10_000 }, () => ({ role: 3, parts: [text] })),
      labels: Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k${index}`, "v".repeat(256)])),
    });
    expect(isSurelyValid(ChatRequestSchema, request)).toBe(true);
    request.labels.more = "v";
    expect(isSurelyValid(ChatRequestSchema, request)).toBe(false);
  });

  it.each<[string, MessageInitShape<typeof FieldRulesSchema>]>([
    ["a format", { type: { case: "string", value: { wellKnown: { case: "email", value: true } } } }],
    ["a constant", { type: { case: "string", value: { const: "a@b.example" } } }],
    ["a rule in CEL", { cel: [{ id: "own.rule", message: "m", expression: "this != ''" }] }],
    ["an expression in CEL", { celExpression: ["this != ''"] }],
    ["a rule that ignores a value", { ignore: Ignore.IF_ZERO_VALUE }],
    ["a required field that is no message", { required: true }],
  ])("leaves %s to protovalidate", (_name, rules) => {
    const schema = schemaWith(rules);
    const message = create(schema, { text: "a@b.example" });
    expect(isValid(schema, message)).toBe(true);
    expect(isSurelyValid(schema, message)).toBe(false);
  });
});

/** Returns a message with one string, which has rules. */
function schemaWith(rules: MessageInitShape<typeof FieldRulesSchema>): DescMessage {
  const options = create(FieldOptionsSchema);
  setExtension(options, field, rules as never);
  const file = create(FileDescriptorProtoSchema, {
    ...{ name: "test/rules.proto", package: "test", syntax: "proto3", dependency: ["buf/validate/validate.proto"] },
    messageType: [
      {
        name: "Ruled",
        field: [{ name: "text", number: 1, type: FieldDescriptorProto_Type.STRING, label: 1, options }],
      },
    ],
  });
  const registry = createFileRegistry(file, () => file_buf_validate_validate);
  return registry.getMessage("test.Ruled") as DescMessage;
}

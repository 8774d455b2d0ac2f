import { type Path, pathToString } from "@bufbuild/protobuf/reflect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldText, invalidRequest } from "../src/errors.ts";
import {
  cutPath,
  type FieldPath,
  formatDotted,
  formatPath,
  fromProtoPath,
  fromZodPath,
  isSamePath,
  isWithin,
} from "../src/field-path.ts";
import { ChatRequestSchema } from "../src/gen/dragoman/v1/chat_request_pb.js";
import { GenerationParametersSchema } from "../src/gen/dragoman/v1/parameters_pb.js";

const name = fc.constantFrom("messages", "parts", "logit_bias");
const key = fc.oneof(fc.string(), fc.integer()).map((value) => ({ key: value }));
const paths: fc.Arbitrary<FieldPath> = fc.array(fc.oneof(name, fc.nat(), key), { maxLength: 5 });

describe("the text of a path", () => {
  it("formats a path as protobuf does", () => {
    const { parameters, messages } = ChatRequestSchema.field;
    const { logitBias } = GenerationParametersSchema.field;
    fc.assert(
      fc.property(
        fc.nat(),
        fc.oneof(fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\r", "a", "é") }), fc.nat()),
        (index, of) => {
          const path: Path = [
            messages,
            { kind: "list_sub", index },
            parameters,
            logitBias,
            { kind: "map_sub", key: of },
          ];
          expect(formatPath(fromProtoPath(path))).toBe(pathToString(path));
        },
      ),
    );
  });

  it.each<[FieldPath, string, string]>([
    [["messages", 0, "role"], "messages[0].role", "messages.0.role"],
    [["parameters", "logit_bias", { key: "7" }], 'parameters.logit_bias["7"]', "parameters.logit_bias.7"],
    [["parameters", "logit_bias", { key: 7 }], "parameters.logit_bias[7]", "parameters.logit_bias.7"],
    [[], "", ""],
  ])("formats %j as %s, and as %s for an HTTP API", (path, text, dotted) => {
    expect(formatPath(path)).toBe(text);
    expect(formatDotted(path)).toBe(dotted);
  });

  it("formats a violation's field from its root", () => {
    expect(fieldText({ field: ["messages", 0] })).toBe("chat.messages[0]");
    expect(fieldText({ field: [] })).toBe("chat");
    expect(fieldText({ field: ["page_size"], root: "message" })).toBe("page_size");
    expect(fieldText({ field: ["messages", 0], root: "body" })).toBe("messages.0");
    expect(fieldText({ field: [], root: "body" })).toBe("body");
  });
});

describe("a path", () => {
  it("finds a path within each of its prefixes, and equal only to itself", () => {
    fc.assert(
      fc.property(paths, fc.nat({ max: 5 }), (path, length) => {
        const outer = structuredClone(path.slice(0, length));
        expect(isWithin(path, outer)).toBe(true);
        expect(isSamePath(path, outer)).toBe(outer.length === path.length);
        expect(isWithin(outer, path)).toBe(outer.length === path.length);
      }),
    );
  });

  it("distinguishes an index, a name and a key with the same text", () => {
    for (const step of ["7", 7, { key: 7 }]) expect(isSamePath([step], [{ key: "7" }])).toBe(false);
  });

  it("converts a zod path: indexes stay numbers, symbols become text", () => {
    expect(fromZodPath(["messages", 0, Symbol("x")])).toEqual(["messages", 0, "Symbol(x)"]);
  });

  it("truncates a path only if its names exceed the maximum length", () => {
    fc.assert(
      fc.property(paths, fc.integer({ min: 1, max: 40 }), (path, most) => {
        const cut = cutPath(path, most);
        const size = formatDotted(path).length - Math.max(path.length - 1, 0);
        if (size <= most) expect(cut).toEqual(path);
        else expect(formatDotted(cut)).toMatch(/…$/);
        expect(formatDotted(cut).length - (cut.length - 1)).toBeLessThanOrEqual(most + 1);
      }),
    );
  });

  it("truncates a long map key from the caller in an error", () => {
    const error = invalidRequest([{ field: ["provider_options", "x".repeat(10_000)], description: "is wrong" }]);
    expect(error.message.length).toBeLessThan(400);
    expect(error.message).toMatch(/^invalid request: chat\.provider_options\.x+…: is wrong$/);
  });
});

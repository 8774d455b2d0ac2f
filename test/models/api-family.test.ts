import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { familyOf, withFamily } from "../../src/models/api-family.ts";

test.each([
  ["openai", "openai-chat"],
  ["azure-openai", "openai-chat"],
  ["gemini", "google"],
  ["vertex", "google"],
  ["anthropic", "anthropic"],
  ["mistral", "mistral"],
  ["llm-engine", "llm-engine"],
  ["cerebras", "cerebras"],
  ["deepinfra", "deepinfra"],
  ["bedrock", "bedrock"],
  ["constructor", "constructor"],
])("models of the provider %s are of the family %s (behaviour 23)", (provider, family) => {
  expect(familyOf(provider)).toBe(family);
  expect(withFamily(create(ModelSchema, { provider })).family).toBe(family);
});

test("a model that states its family keeps it", () => {
  const model = create(ModelSchema, { provider: "openai", family: "openai-completions" });
  expect(withFamily(model)).toBe(model);
});

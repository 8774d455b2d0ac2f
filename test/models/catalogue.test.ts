import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { createCatalogue } from "../../src/models/catalogue.ts";

function entry(init: MessageInitShape<typeof ModelSchema>) {
  return create(ModelSchema, { profile: "plain", ...init });
}

const gpt = entry({
  id: "gpt-4o",
  provider: "openai",
  providerModel: "gpt-4o",
  profile: "egp-chat",
  aliases: ["omni"],
  contextWindowTokens: 128_000,
});
const llama = entry({
  id: "meta-llama/Llama-2-70b-chat-hf",
  provider: "deepinfra",
  providerModel: "meta-llama/Llama-2-70b-chat-hf",
  profile: "deepinfra",
});
const echo = entry({ id: "echo/echo", provider: "echo", providerModel: "echo" });
const grok = entry({ id: "grok", provider: "xai", providerModel: "grok-5" });

const catalogue = createCatalogue(
  [gpt, llama, echo, grok],
  ["openai", "deepinfra", "echo"],
  [
    { name: "openai", reason: "OPENAI_API_KEY is set" },
    { name: "xai", reason: "set XAI_API_KEY to turn it on" },
  ],
);

function failure(name: string): GatewayError {
  try {
    catalogue.resolve(name);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error(`${name} was found`);
}

test("an id or an alias gives its entry", () => {
  expect(catalogue.resolve("gpt-4o")).toBe(gpt);
  expect(catalogue.resolve("omni")).toBe(gpt);
});

test("an id with a slash comes before provider/model", () => {
  expect(catalogue.resolve("meta-llama/Llama-2-70b-chat-hf")).toBe(llama);
});

test("provider/model is the same entry with the profile plain", () => {
  expect(catalogue.resolve("openai/gpt-4o")).toEqual({ ...gpt, id: "openai/gpt-4o", aliases: [], profile: "plain" });
  const path = "deepinfra/meta-llama/Llama-2-70b-chat-hf";
  expect(catalogue.resolve(path)).toEqual({ ...llama, id: path, profile: "plain" });
});

test("provider/model that is not listed is passed on with unknown capabilities", () => {
  const model = catalogue.resolve("openai/ft:gpt/of/mine");
  expect(model).toMatchObject({
    id: "openai/ft:gpt/of/mine",
    provider: "openai",
    providerModel: "ft:gpt/of/mine",
    profile: "plain",
    contextWindowTokens: 0,
  });
  expect(model.capabilities).toBeUndefined();
});

test.each([
  ["a misspelt id", "gpt-4p", "did you mean gpt-4o?"],
  ["a misspelt provider", "opena/gpt-4o", "did you mean openai/gpt-4o?"],
  ["an unknown id", "something-else-altogether", "ListModels lists what there is"],
  ["an unknown provider", "nobody/nothing-that-is-known", "(those that are on: openai, deepinfra, echo)"],
  ["a model whose provider is off", "grok", "set XAI_API_KEY to turn it on"],
  ["an unlisted model of a provider that is off", "xai/grok-9", "set XAI_API_KEY to turn it on"],
  ["no model", "openai/", "the model's name is missing"],
])("%s is MODEL_NOT_FOUND and says what to do", (_, name, advice) => {
  const error = failure(name);
  expect(error).toMatchObject({ reason: "MODEL_NOT_FOUND", status: "NOT_FOUND", facts: { metadata: { model: name } } });
  expect(error.message).toContain(advice);
});

test("the list is ordered by id and has only models whose provider is on", () => {
  expect(catalogue.list()).toEqual([echo, gpt, llama]);
  expect(catalogue.list("openai")).toEqual([gpt]);
  expect(catalogue.list("xai")).toEqual([]);
});

test("two models with one name are refused at the start", () => {
  const double = entry({ id: "omni", provider: "echo", providerModel: "omni" });
  expect(() => createCatalogue([gpt, double], ["openai"])).toThrow("two models are named omni");
});

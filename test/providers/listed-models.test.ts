import { expect, test } from "vitest";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { listedModels, providers } from "../../src/providers/registry.ts";

const names = providers.map(({ name }) => name);
const familyOf = (name: string) => providers.find((provider) => provider.name === name)?.family ?? name;
const models = listedModels({});
const catalog = createCatalog(models, names);

test("gives no two models the same id or alias", () => {
  const names = models.flatMap(({ id, aliases }) => [id, ...aliases]);
  expect(names).toEqual([...new Set(names)]);
});

test("gives no model a profile of its own", () => {
  expect(models.filter(({ profile }) => profile !== Profile.UNSPECIFIED)).toEqual([]);
});

test("resolves each model by its id and by each alias", () => {
  for (const model of models) {
    for (const name of [model.id, ...model.aliases]) expect(catalog.resolve(name)).toBe(model);
  }
});

test("gives each model a known provider, its family and a display name", () => {
  for (const model of models) {
    expect(names).toContain(model.provider);
    expect(model.family).toBe(familyOf(model.provider));
    expect([model.providerModel, model.displayName]).not.toContain("");
  }
});

test("resolves a name that begins with a provider to that provider", () => {
  const misplaced = models.filter(({ id, aliases, provider }) =>
    [id, ...aliases].some((name) => {
      const first = name.split("/")[0] ?? "";
      return name.includes("/") && names.includes(first) && first !== provider;
    }),
  );
  expect(misplaced.map(({ id }) => id)).toEqual([]);
});

test("keeps each output limit between 0 and the context window", () => {
  for (const { id, contextWindowTokens: window, maxOutputTokens: output } of models) {
    expect([id, output >= 0 && (window === 0 || output <= window)]).toEqual([id, true]);
  }
});

test("sets a template family only for models whose prompt Dragoman renders", () => {
  for (const { id, templateFamily, capabilities } of models) {
    if (templateFamily !== "") expect([id, capabilities?.chatTemplate]).toEqual([id, true]);
  }
});

test("states equal facts in all entries for one model of a provider", () => {
  const facts = ({ contextWindowTokens, maxOutputTokens, capabilities, templateFamily }: Model) => ({
    contextWindowTokens,
    maxOutputTokens,
    capabilities,
    templateFamily,
  });
  const byPath = Map.groupBy(models, ({ provider, providerModel }) => `${provider}/${providerModel}`);
  for (const [path, [first, ...others]] of byPath) {
    for (const other of others) expect({ path, ...facts(other) }).toEqual({ path, ...(first && facts(first)) });
  }
});

test.each([
  ["the model that a provider lists", "openai/gpt-4o"],
  ["a model that only EGP's list has", "anthropic/claude-3-opus-20240229"],
  ["a model of DeepInfra", "deepinfra/meta-llama/Llama-2-70b-chat-hf"],
  ["a model of Cerebras", "cerebras/llama3.1-8b"],
  ["an endpoint of LLM Engine", "llm-engine/llama-3-8b-instruct"],
])("resolves %s as provider/model", (_, name) => {
  const model = catalog.resolve(name);
  expect(model).toMatchObject({ id: name, family: familyOf(model.provider) });
  expect(model.contextWindowTokens).toBeGreaterThan(0);
});

test.each([
  ["meta-llama/Llama-2-70b-chat-hf", { window: 4096, output: 4096 }],
  ["meta-llama/Meta-Llama-3.1-8B-Instruct", { window: 131_072, output: 16_384 }],
  ["meta-llama/Llama-3.1-8B-Instruct", { window: 131_072, output: 16_384 }],
  ["zai-org/GLM-5.3", { window: 1_048_576, output: 16_384 }],
])("resolves the DeepInfra name %s", (name, { window, output }) => {
  expect(catalog.resolve(name)).toMatchObject({
    provider: "deepinfra",
    family: "deepinfra",
    contextWindowTokens: window,
    maxOutputTokens: output,
    maxTemperature: 2,
  });
});

test("resolves DeepInfra's openai/… models only with the prefix deepinfra/", () => {
  expect(catalog.resolve("deepinfra/openai/gpt-oss-120b")).toMatchObject({ provider: "deepinfra" });
  expect(catalog.resolve("openai/gpt-oss-120b").provider).toBe("openai");
});

test.each([
  "meta-llama/Llama-2-70b-chat-hf:a1b2c3",
  "deploy_id:abc",
  "somebody/some-model",
])("passes the unlisted model %s on to DeepInfra (behavior 22)", (name) => {
  expect(catalog.resolve(`deepinfra/${name}`)).toMatchObject({ provider: "deepinfra", providerModel: name });
});

test.each(["llama3.1-8b", "llama3.1-70b"])("resolves the Cerebras name %s", (name) => {
  expect(catalog.resolve(name)).toMatchObject({
    provider: "cerebras",
    family: "cerebras",
    providerModel: name,
    contextWindowTokens: 8192,
    maxTemperature: 1.5,
  });
});

test.each([
  "groq",
  "together",
  "fireworks",
  "openrouter",
  "xai",
  "deepseek",
  "moonshot",
])("lists the models of %s by the provider's names", (provider) => {
  const listed = catalog.list(provider);
  expect(listed.length).toBeGreaterThan(0);
  for (const { id, providerModel } of listed) expect(id).toBe(`${provider}/${providerModel}`);
});

test.each([
  ["gpt-4x", "gpt-4"],
  ["claude-3-opus-20240228", "claude-3-opus-20240229"],
  ["llama-3-1-8b-instuct", "llama-3-1-8b-instruct"],
])("rejects %s and suggests the most similar name", (name, near) => {
  expect(() => catalog.resolve(name)).toThrow(
    expect.objectContaining({ reason: "MODEL_NOT_FOUND", message: expect.stringContaining(near) }),
  );
});

import { expect, test } from "vitest";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { listedModels, providers } from "../../src/providers/registry.ts";

const names = providers.map(({ name }) => name);
const familyOf = (name: string) => providers.find((provider) => provider.name === name)?.family ?? name;
const models = listedModels({});
const catalog = createCatalog(models, names);

test("no two entries have a name in common, among ids and aliases", () => {
  const names = models.flatMap(({ id, aliases }) => [id, ...aliases]);
  expect(names).toEqual([...new Set(names)]);
});

test("every entry is found by each of its names", () => {
  for (const model of models) {
    for (const name of [model.id, ...model.aliases]) expect(catalog.resolve(name)).toBe(model);
  }
});

test("every entry has a provider that there is, that provider's family and a name", () => {
  for (const model of models) {
    expect(names).toContain(model.provider);
    expect(model.family).toBe(familyOf(model.provider));
    expect([model.providerModel, model.displayName]).not.toContain("");
  }
});

test("a name that begins with a provider means that provider", () => {
  const astray = models.filter(({ id, aliases, provider }) =>
    [id, ...aliases].some((name) => {
      const first = name.split("/")[0] ?? "";
      return name.includes("/") && names.includes(first) && first !== provider;
    }),
  );
  expect(astray.map(({ id }) => id)).toEqual([]);
});

test("no answer is longer than the window, and no limit is negative", () => {
  for (const { id, contextWindowTokens: window, maxOutputTokens: output } of models) {
    expect([id, output >= 0 && (window === 0 || output <= window)]).toEqual([id, true]);
  }
});

test("a template's family is named only where the prompt is written here", () => {
  for (const { id, templateFamily, capabilities } of models) {
    if (templateFamily !== "") expect([id, capabilities?.chatTemplate]).toEqual([id, true]);
  }
});

test("two entries for the same model of a provider state the same facts", () => {
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
])("%s is plain as provider/model", (_, name) => {
  const model = catalog.resolve(name);
  expect(model).toMatchObject({ id: name, profile: "plain", family: familyOf(model.provider) });
  expect(model.contextWindowTokens).toBeGreaterThan(0);
});

test.each([
  ["meta-llama/Llama-2-70b-chat-hf", { window: 4096, output: 4096 }],
  ["meta-llama/Meta-Llama-3.1-8B-Instruct", { window: 131_072, output: 16_384 }],
  ["meta-llama/Llama-3.1-8B-Instruct", { window: 131_072, output: 16_384 }],
  ["zai-org/GLM-5.3", { window: 1_048_576, output: 16_384 }],
])("%s is DeepInfra's, with its profile (seed 004)", (name, { window, output }) => {
  expect(catalog.resolve(name)).toMatchObject({
    provider: "deepinfra",
    family: "deepinfra",
    profile: "deepinfra",
    contextWindowTokens: window,
    maxOutputTokens: output,
    maxTemperature: 2,
  });
});

test("what DeepInfra names as OpenAI's is DeepInfra's only under its own name", () => {
  expect(catalog.resolve("deepinfra/openai/gpt-oss-120b")).toMatchObject({ provider: "deepinfra", profile: "plain" });
  expect(catalog.resolve("openai/gpt-oss-120b").provider).toBe("openai");
});

test.each([
  "meta-llama/Llama-2-70b-chat-hf:a1b2c3",
  "deploy_id:abc",
  "somebody/some-model",
])("DeepInfra is asked for %s, which the catalog does not know (behaviour 22)", (name) => {
  expect(catalog.resolve(`deepinfra/${name}`)).toMatchObject({ provider: "deepinfra", providerModel: name });
});

test.each(["llama3.1-8b", "llama3.1-70b"])("%s is Cerebras', with its profile (seed 002)", (name) => {
  expect(catalog.resolve(name)).toMatchObject({
    provider: "cerebras",
    family: "cerebras",
    profile: "cerebras",
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
])("models of %s are listed, and asked for by the name that they have there", (provider) => {
  const listed = catalog.list(provider);
  expect(listed.length).toBeGreaterThan(0);
  for (const { id, providerModel, profile } of listed) {
    expect({ id, profile }).toEqual({ id: `${provider}/${providerModel}`, profile: "plain" });
  }
});

test.each([
  ["gpt-4x", "gpt-4"],
  ["claude-3-opus-20240228", "claude-3-opus-20240229"],
  ["llama-3-1-8b-instuct", "llama-3-1-8b-instruct"],
])("%s is rejected with the name that was probably meant", (name, near) => {
  expect(() => catalog.resolve(name)).toThrow(
    expect.objectContaining({ reason: "MODEL_NOT_FOUND", message: expect.stringContaining(near) }),
  );
});

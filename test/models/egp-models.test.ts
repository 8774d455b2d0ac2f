import { expect, test } from "vitest";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { egpModels } from "../../src/models/egp-models.ts";
import { listedModels, providers } from "../../src/providers/registry.ts";
import { seed000, seed001 } from "../support/egp-ids.ts";

const catalog = createCatalog(
  listedModels({}),
  providers.map(({ name }) => name),
);

test("lists the 51 ids of the later EGP API, which include the earlier 43", () => {
  expect([seed000.length, seed001.length]).toEqual([51, 43]);
  const entries = egpModels;
  expect(entries.map(({ id }) => id).sort()).toEqual([...seed000].sort());
});

test.each(seed000)("gives %s a family and all limits, and no profile of its own", (id) => {
  const model = catalog.resolve(id);
  expect(model).toMatchObject({ id, profile: Profile.UNSPECIFIED });
  expect(["openai-chat", "google", "anthropic", "mistral", "llm-engine", "bedrock"]).toContain(model.family);
  expect(model.contextWindowTokens).toBeGreaterThan(0);
  expect(model.maxOutputTokens).toBeGreaterThan(0);
  expect(model.maxTemperature).toBeGreaterThan(0);
});

test.each([
  ["gpt-4", "openai-chat", 8192, 8192, 2],
  ["gpt-4-32k-0613", "openai-chat", 32_768, 32_768, 2],
  ["gpt-4o", "openai-chat", 128_000, 16_384, 2],
  ["gpt-3.5-turbo", "openai-chat", 16_385, 4096, 2],
  ["o1-mini", "openai-chat", 128_000, 65_536, 2],
  ["gemini-pro", "google", 32_760, 8192, 1],
  ["gemini-1.5-pro-002", "google", 2_097_152, 8192, 2],
  ["claude-3-opus-20240229", "anthropic", 200_000, 4096, 1],
  ["claude-3-5-sonnet-20241022", "anthropic", 200_000, 8192, 1],
  ["mistral-large-latest", "mistral", 262_144, 262_144, 1],
  ["mixtral-8x7b-instruct", "llm-engine", 32_768, 32_768, 1],
  ["llama-3-1-70b-instruct", "llm-engine", 131_072, 131_072, 1],
  ["gpt-oss-120b", "llm-engine", 131_072, 131_072, 1],
  ["llama3-1-405b-instruct-v1", "bedrock", 131_072, 4096, 1],
])("gives %s family %s, window %i, output %i, temperature %d", (id, family, window, output, ceiling) => {
  expect(catalog.resolve(id)).toMatchObject({
    family,
    contextWindowTokens: window,
    maxOutputTokens: output,
    maxTemperature: ceiling,
  });
});

test.each([
  ["llama-2-70b-chat", "llama-2"],
  ["llama-3-3-70b-instruct", "llama-3"],
  ["donovan-combat-llama", "llama-3"],
  ["mixtral-8x22b-instruct", "mixtral"],
  ["dolphin-2.9-llama3-8b", "chatml"],
  ["zephyr-cat-merged", "zephyr"],
  ["phi-3-cat-merged", "phi-3"],
  ["gpt-oss-20b", ""],
  ["gpt-4o", ""],
])("gives %s the template family '%s'", (id, template) => {
  expect(catalog.resolve(id).templateFamily).toBe(template);
});

test("sets the chatTemplate capability for LLM Engine models only", () => {
  for (const id of seed000) {
    const { family, capabilities } = catalog.resolve(id);
    expect([id, capabilities?.chatTemplate]).toEqual([id, family === "llm-engine"]);
  }
});

test("sets image input for GPT-4o, o1, Claude 3, Gemini 1.5 and Mistral Large only", () => {
  const sighted = /^(gpt-4o|o1$|claude-3|gemini-1\.5|mistral-large)/;
  for (const id of seed000) {
    expect([id, catalog.resolve(id).capabilities?.imageInput]).toEqual([id, sighted.test(id)]);
  }
});

test("sets reasoning for o-series and gpt-oss, system messages for all but o1-mini", () => {
  for (const id of seed000) {
    const { capabilities } = catalog.resolve(id);
    expect([id, capabilities?.systemMessages]).toEqual([id, id !== "o1-mini"]);
    expect([id, capabilities?.reasoning]).toEqual([id, /^(o\d|gpt-oss)/.test(id)]);
  }
});

test("resolves gpt-4o and openai/gpt-4o to the same facts", () => {
  const full = catalog.resolve("openai/gpt-4o");
  expect(full).toEqual({ ...catalog.resolve("gpt-4o"), id: "openai/gpt-4o" });
  expect(full.capabilities).toMatchObject({ tools: true, jsonSchema: true, imageInput: true, logprobs: true });
});

test.each([
  ["llama-3.1-8b-instruct", "llama-3-1-8b-instruct"],
  ["llama-3.3-70b-instruct", "llama-3-3-70b-instruct"],
  ["llama-3.1-405b-instruct", "llama3-1-405b-instruct-v1"],
  ["gemini-1.0-pro", "gemini-pro"],
])("resolves the alias %s to %s", (alias, id) => {
  expect(catalog.resolve(alias)).toBe(catalog.resolve(id));
});

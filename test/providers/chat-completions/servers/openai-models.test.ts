import { expect, test } from "vitest";
import { createCatalog } from "../../../../src/models/catalog.ts";
import { egpModels } from "../../../../src/models/egp-models.ts";
import { openAiModels as openAiTable } from "../../../../src/providers/chat-completions/servers/openai/models.ts";

const openAiModels = openAiTable.map((model) => ({ ...model, family: "openai-chat" }));
const catalog = createCatalog([...openAiModels, ...egpModels], ["openai"]);
const egpIds = new Set(egpModels.map(({ id }) => id));

test("resolves each model as openai/<id>", () => {
  for (const model of openAiModels) {
    expect(model).toMatchObject({ provider: "openai" });
    const path = `openai/${model.providerModel}`;
    expect(catalog.resolve(path)).toEqual({ ...model, id: path });
  }
});

test("resolves each model by its bare id, unless the id names EGP's model", () => {
  for (const model of openAiModels) {
    const bare = catalog.resolve(model.providerModel);
    if (egpIds.has(model.providerModel)) expect(bare).toMatchObject({ id: model.providerModel, provider: "openai" });
    else expect(bare).toBe(model);
  }
});

test("states for each chat model an output limit below its context window", () => {
  for (const { contextWindowTokens, maxOutputTokens, embeddingDimensions } of openAiModels) {
    if (embeddingDimensions > 0) continue;
    expect(maxOutputTokens).toBeGreaterThan(0);
    expect(contextWindowTokens).toBeGreaterThan(maxOutputTokens);
  }
});

test("marks the o series, GPT-5 and later models as reasoning models", () => {
  for (const { providerModel, capabilities } of openAiModels) {
    expect([providerModel, capabilities?.reasoning]).toEqual([providerModel, /^(o\d|gpt-[56])/.test(providerModel)]);
  }
});

test.each([
  "gpt-4",
  "gpt-3.5-turbo",
  "o1",
  "o3-mini",
  "o4-mini",
  "gpt-4.1-nano",
  "gpt-4o-2024-05-13",
])("does not list %s, which OpenAI shut down", (id) => {
  expect(openAiModels.map(({ providerModel }) => providerModel)).not.toContain(id);
});

test("resolves a snapshot to its own model", () => {
  expect(catalog.resolve("gpt-4o-2024-11-20")).toMatchObject({ providerModel: "gpt-4o-2024-11-20" });
});

import { expect, test } from "vitest";
import { createCatalogue } from "../../src/models/catalogue.ts";
import { openaiModels } from "../../src/models/openai-models.ts";

const catalogue = createCatalogue(openaiModels, ["openai"]);

test("every model is found by its bare id and as openai/id, both plain", () => {
  for (const model of openaiModels) {
    expect(catalogue.resolve(model.id)).toBe(model);
    expect(catalogue.resolve(`openai/${model.id}`)).toEqual({ ...model, id: `openai/${model.id}` });
    expect(model).toMatchObject({ provider: "openai", providerModel: model.id, profile: "plain" });
  }
});

test("every model states its limits, and none gives more than its window", () => {
  for (const { contextWindowTokens, maxOutputTokens } of openaiModels) {
    expect(maxOutputTokens).toBeGreaterThan(0);
    expect(contextWindowTokens).toBeGreaterThan(maxOutputTokens);
  }
});

test("reasoning models are OpenAI's o series and GPT-5 and later", () => {
  for (const { id, capabilities } of openaiModels) {
    expect([id, capabilities?.reasoning]).toEqual([id, /^(o\d|gpt-[56])/.test(id)]);
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
])("%s, which was shut down, is not listed", (id) => {
  expect(openaiModels.map((model) => model.id)).not.toContain(id);
});

test("a snapshot is a model of its own", () => {
  expect(catalogue.resolve("gpt-4o-2024-08-06")).toMatchObject({ providerModel: "gpt-4o-2024-08-06" });
});

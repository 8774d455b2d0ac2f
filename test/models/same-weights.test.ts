import { expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { createCatalog } from "../../src/models/catalog.ts";
import { sameWeights } from "../../src/models/same-weights.ts";
import { listedModels } from "../../src/providers/registry.ts";

const models = listedModels({});
const known = [{ name: "cerebras", on: false, reason: "set CEREBRAS_API_KEY", family: "cerebras" }];

function problemOf(name: string, on: readonly string[]): string {
  try {
    createCatalog(models, on, known).resolve(name);
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
  throw new Error(`${name} was found`);
}

it("groups only ids of the catalog, one per provider", () => {
  const named = models.filter(({ id }) => sameWeights(id).length > 0);
  expect(named.length).toBeGreaterThan(20);
  for (const { id } of named) {
    const group = [id, ...sameWeights(id)];
    const entries = models.filter((model) => group.includes(model.id));
    expect([...entries.map((entry) => entry.id)].sort()).toEqual([...group].sort());
    expect(new Set(entries.map(({ provider }) => provider)).size).toBe(group.length);
  }
});

it.each([
  "llama3.1-8b",
  "cerebras/llama3.1-8b",
])("suggests configured providers with the same weights as %s", (name) => {
  expect(problemOf(name, ["deepinfra", "groq"])).toBe(
    `the model ${name} needs the provider cerebras, which is not configured: set CEREBRAS_API_KEY; ` +
      "the same weights are available as meta-llama/Meta-Llama-3.1-8B-Instruct, groq/llama-3.1-8b-instant",
  );
  expect(problemOf(name, ["openai"])).toBe(
    `the model ${name} needs the provider cerebras, which is not configured: set CEREBRAS_API_KEY`,
  );
});

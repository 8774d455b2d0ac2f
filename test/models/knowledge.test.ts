import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import { egpModels } from "../../src/models/egp-models.ts";
import { sourcesOf } from "../../src/models/model-row.ts";
import { providers } from "../../src/providers/registry.ts";

const root = resolve(import.meta.dirname, "../../src");

/** Fails unless each source says where it is from and on which day it was read, which has passed. */
function expectSources(about: string, sources: unknown): void {
  expect(Array.isArray(sources) && sources.length > 0, `${about} has sources`).toBe(true);
  if (!Array.isArray(sources)) return;
  for (const { from, read } of sources) {
    expect([about, String(from).length > 3]).toEqual([about, true]);
    expect(read).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(new Date(read).toISOString().slice(0, 10)).toBe(read);
    expect(Date.parse(read)).toBeLessThan(Date.now());
  }
}

/** Providers whose models are part of this program, or files on this machine. */
const own = ["echo", "local"];

it("gives each row of each table of models its sources, each with the day on which it was read", () => {
  const tables = providers.filter(({ name }) => !own.includes(name)).map((provider) => provider.models({}));
  const models: readonly Model[] = [...tables.flat(), ...egpModels];
  expect(models.length).toBeGreaterThan(100);
  for (const model of models) expectSources(model.id, sourcesOf(model));
});

/** Patterns of the names of model families. A file with one decides what a model supports by its name. */
const familyName =
  /\/[^/\n]*(?:claude|gpt-|gemini|gemma|nova|deepseek|kimi|grok|mistral-|magistral|qwen|mimo-|str\|xtr)[^\n]*\/[imsu]*[.,)\]}\s]/i;

/** Files with patterns that are no rules about models. */
const others: readonly string[] = [
  // Which models only the Responses API serves: whole names, which do not age.
  "providers/chat-completions/servers/openai/adaptations.ts",
  // Rules of an API's documents, which do not change.
  "profiles/profiles.ts",
];

it("keeps rules about families of models in tables with sources", async () => {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("gen/"))
    .filter((file) => /new RegExp\(`\$\{|pattern: /.test(readFileSync(join(root, file), "utf8")))
    .filter((file) => readFileSync(join(root, file), "utf8").includes("FamilyRules<"));
  const tables: string[] = [];
  for (const file of files.filter((name) => name !== "models/family-rules.ts")) {
    const exported: Readonly<Record<string, unknown>> = await import(join(root, file));
    for (const value of Object.values(exported)) {
      if (typeof value !== "object" || value === null || !("families" in value) || !("about" in value)) continue;
      expectSources(String(value.about), "sources" in value ? value.sources : undefined);
      tables.push(file);
    }
  }
  expect(files.filter((file) => file !== "models/family-rules.ts" && !tables.includes(file))).toEqual([]);
  expect(tables.length).toBeGreaterThan(7);
});

it("has no rules about families of models outside such tables", () => {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => /^(?:providers|models|profiles|calls|chat)\/.*\.ts$/.test(file) && !others.includes(file))
    .filter((file) => {
      const code = readFileSync(join(root, file), "utf8")
        .split("\n")
        .filter((line) => !/^\s*(?:\/?\*|\/\/)|^import /.test(line) && !/https?:/.test(line));
      return code.some((line) => familyName.test(line)) && !code.join("\n").includes("FamilyRules<");
    });
  expect(files).toEqual([]);
});

import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Model } from "../src/gen/dragoman/v1/model_pb.js";
import { egpModels } from "../src/models/egp-models.ts";
import { listedModels, providers } from "../src/providers/registry.ts";
import { packageDifferences } from "./model-packages.ts";

// Compares the rules and the catalog with tables of npm packages, and the catalog with models.dev, an open database of
// models and their limits. Prints the differences. A difference is not a failure, since either side may be wrong: check
// the vendor's page. `npm run models -- <source>` reads another api.json, from a URL or file. Default:
// https://models.dev/api.json. `npm run models -- packages` compares only with the packages, without a network.

const source = process.argv[2] ?? "https://models.dev/api.json";

const inPackages = packageDifferences();
console.log(`packages: ${inPackages.length} differences`);
for (const line of inPackages) console.log(`  ${line}`);
if (source === "packages") process.exit();

/** Maximum number of new models to name per provider. The rest are only counted. */
const maxNamedModels = 8;

const recordSchema = z.object({
  limit: z.object({ context: z.number(), output: z.number() }),
  modalities: z.object({ input: z.array(z.string()), output: z.array(z.string()) }),
  reasoning: z.boolean(),
  tool_call: z.boolean(),
  release_date: z.string().default(""),
  status: z.string().optional(),
});
const databaseSchema = z.record(z.string(), z.object({ models: z.record(z.string(), recordSchema) }));
type DatabaseRecord = z.infer<typeof recordSchema>;

/** The facts to compare: each function returns the catalog's value and the database's value. */
const facts: Readonly<
  Record<string, (model: Model, found: DatabaseRecord) => readonly [number | boolean, number | boolean]>
> = {
  "context window": (model, { limit }) => [model.contextWindowTokens, limit.context],
  "output limit": (model, { limit }) => [model.maxOutputTokens, limit.output],
  images: ({ capabilities }, { modalities }) => [capabilities?.imageInput ?? false, modalities.input.includes("image")],
  reasoning: ({ capabilities }, { reasoning }) => [capabilities?.reasoning ?? false, reasoning],
  tools: ({ capabilities }, { tool_call }) => [capabilities?.tools ?? false, tool_call],
};

const database = databaseSchema.parse(JSON.parse(await read(source)));
// EGP's list and Cerebras' retired models, whose ids have no prefix, have the facts of a fixed date and not today's.
const egpIds = new Set(egpModels.map(({ id }) => id));
const models = listedModels({}).filter(
  ({ id, provider }) => !egpIds.has(id) && (provider !== "cerebras" || id.startsWith("cerebras/")),
);

for (const { name: provider, modelsDevName: name } of providers) {
  // Skip self-hosted servers and LLM Engine, which models.dev does not contain.
  if (name === undefined) continue;
  const records = database[name]?.models;
  if (records === undefined) {
    console.log(`${provider}: models.dev has no provider ${name}`);
    continue;
  }
  const ours = models.filter((model) => model.provider === provider);
  const lines = ours.flatMap((model) => differences(model, records[model.providerModel]));
  const known = new Set(ours.map(({ providerModel }) => providerModel));
  lines.push(...newModels(Object.entries(records).filter(([id]) => !known.has(id))));
  console.log(`${provider}: ${ours.length} models in the catalog, ${Object.keys(records).length} in models.dev`);
  for (const line of lines) console.log(`  ${line}`);
}

async function read(urlOrFile: string): Promise<string> {
  if (!/^https?:/.test(urlOrFile)) return readFile(urlOrFile, "utf8");
  const response = await fetch(urlOrFile);
  if (!response.ok) throw new Error(`${urlOrFile} returned HTTP ${response.status}`);
  return response.text();
}

function differences(model: Model, found: DatabaseRecord | undefined): readonly string[] {
  const { providerModel } = model;
  if (found === undefined) return [`${providerModel}: not in models.dev`];
  const lines = found.status === "deprecated" ? [`${providerModel}: deprecated in models.dev`] : [];
  for (const [fact, compare] of Object.entries(facts)) {
    const [ours, theirs] = compare(model, found);
    if (ours !== theirs) lines.push(`${providerModel}: ${fact} is ${ours} in the catalog, ${theirs} in models.dev`);
  }
  return lines;
}

/** Returns a line with the models that are missing from the catalog, newest first. */
function newModels(candidates: readonly (readonly [string, DatabaseRecord])[]): readonly string[] {
  const ids = candidates
    .filter(([, { status, modalities }]) => status !== "deprecated" && modalities.output.includes("text"))
    .sort(([, a], [, b]) => (a.release_date < b.release_date ? 1 : -1))
    .map(([id]) => id);
  if (ids.length === 0) return [];
  const more = ids.length > maxNamedModels ? ` and ${ids.length - maxNamedModels} more` : "";
  return [`only in models.dev: ${ids.slice(0, maxNamedModels).join(", ")}${more}`];
}

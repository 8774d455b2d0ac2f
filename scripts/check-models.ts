import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Model } from "../src/gen/dragoman/v1/model_pb.js";
import { listedModels, providers } from "../src/providers/registry.ts";

// Compares the catalog with models.dev, the open database that the npm packages of model limits are made from, and
// prints what differs. Which of the two is right, the vendor's page says: nothing is changed here, and a difference is no
// failure. `npm run models [-- <address or file>]`: an address or a file of its api.json, by default the live one.

const source = process.argv[2] ?? "https://models.dev/api.json";

/** Entries whose facts are those of a seed's time and not of today. */
const historical: ReadonlySet<string> = new Set(["egp-chat", "cerebras"]);

/** New models that are named for each provider; the others are counted. */
const namedModels = 8;

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

/** What is compared: here and there. */
const facts: Readonly<
  Record<string, (model: Model, found: DatabaseRecord) => readonly [number | boolean, number | boolean]>
> = {
  window: (model, { limit }) => [model.contextWindowTokens, limit.context],
  output: (model, { limit }) => [model.maxOutputTokens, limit.output],
  images: ({ capabilities }, { modalities }) => [capabilities?.imageInput ?? false, modalities.input.includes("image")],
  reasoning: ({ capabilities }, { reasoning }) => [capabilities?.reasoning ?? false, reasoning],
  tools: ({ capabilities }, { tool_call }) => [capabilities?.tools ?? false, tool_call],
};

const database = databaseSchema.parse(JSON.parse(await read(source)));
const models = listedModels({}).filter(({ profile }) => !historical.has(profile));

for (const { name: provider, modelsDevName: name } of providers) {
  // Own servers and LLM Engine are not in the database.
  if (name === undefined) continue;
  const records = database[name]?.models;
  if (records === undefined) {
    console.log(`${provider}: the database has no ${name}`);
    continue;
  }
  const ours = models.filter((model) => model.provider === provider);
  const lines = ours.flatMap((model) => differences(model, records[model.providerModel]));
  const known = new Set(ours.map(({ providerModel }) => providerModel));
  lines.push(...newModels(Object.entries(records).filter(([id]) => !known.has(id))));
  console.log(`${provider}: ${ours.length} here, ${Object.keys(records).length} there`);
  for (const line of lines) console.log(`  ${line}`);
}

async function read(place: string): Promise<string> {
  if (!/^https?:/.test(place)) return readFile(place, "utf8");
  const response = await fetch(place);
  if (!response.ok) throw new Error(`${place} answered ${response.status}`);
  return response.text();
}

function differences(model: Model, found: DatabaseRecord | undefined): readonly string[] {
  const { providerModel } = model;
  if (found === undefined) return [`${providerModel}: not there`];
  const lines = found.status === "deprecated" ? [`${providerModel}: deprecated there`] : [];
  for (const [fact, compare] of Object.entries(facts)) {
    const [here, there] = compare(model, found);
    if (here !== there) lines.push(`${providerModel}: ${fact} ${here} here, ${there} there`);
  }
  return lines;
}

/** The models that the catalog lacks, newest first. */
function newModels(candidates: readonly (readonly [string, DatabaseRecord])[]): readonly string[] {
  const ids = candidates
    .filter(([, { status, modalities }]) => status !== "deprecated" && modalities.output.includes("text"))
    .sort(([, a], [, b]) => (a.release_date < b.release_date ? 1 : -1))
    .map(([id]) => id);
  if (ids.length === 0) return [];
  const more = ids.length > namedModels ? ` and ${ids.length - namedModels} more` : "";
  return [`only there: ${ids.slice(0, namedModels).join(", ")}${more}`];
}

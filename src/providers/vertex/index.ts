import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { vertexModels } from "./models.ts";
import { globalHost, type Options, optionsSchema } from "./options.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition<Options> = {
  name: "vertex",
  family: "google",
  modelsDevName: "google-vertex",
  variables: {
    // With this key, the adapter uses express mode.
    apiKey: "VERTEX_API_KEY",
    baseUrl: "VERTEX_BASE_URL",
    others: ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"],
  },
  defaultBaseUrl: `https://${globalHost}`,
  onBy: "detect",
  detect({ GOOGLE_APPLICATION_CREDENTIALS: credentials, VERTEX_API_KEY: key }) {
    return credentials || key ? undefined : "set GOOGLE_APPLICATION_CREDENTIALS or VERTEX_API_KEY to turn it on";
  },
  optionsSchema,
  check({ apiKey, options }) {
    if (apiKey === undefined) return [];
    const problem = "has no effect with an API key, which replaces project, location and credentials";
    return Object.keys(options).map((name) => ({ path: `options.${name}`, problem, fix: "remove it or the API key" }));
  },
  models: () => vertexModels,
  load: adapter.load,
  create: (settings) => adapter.loaded.createVertexAdapter(settings),
};

import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { cohereModels } from "./models.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition = {
  name: "cohere",
  modelsDevName: "cohere",
  variables: { apiKey: "COHERE_API_KEY", baseUrl: "COHERE_BASE_URL" },
  defaultBaseUrl: "https://api.cohere.com",
  onBy: "key",
  models: () => cohereModels,
  load: adapter.load,
  create: (settings) => adapter.loaded.createCohereAdapter(settings),
};

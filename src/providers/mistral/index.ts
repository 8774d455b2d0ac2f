import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { mistralModels } from "./models.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition = {
  name: "mistral",
  modelsDevName: "mistral",
  variables: { apiKey: "MISTRAL_API_KEY", baseUrl: "MISTRAL_BASE_URL" },
  defaultBaseUrl: "https://api.mistral.ai/v1",
  onBy: "key",
  models: () => mistralModels,
  load: adapter.load,
  create: (settings) => adapter.loaded.createMistralAdapter(settings),
};

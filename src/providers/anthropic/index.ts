import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { anthropicModels } from "./models.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition = {
  name: "anthropic",
  modelsDevName: "anthropic",
  variables: { apiKey: "ANTHROPIC_API_KEY", baseUrl: "ANTHROPIC_BASE_URL" },
  defaultBaseUrl: "https://api.anthropic.com",
  onBy: "key",
  models: () => anthropicModels,
  load: adapter.load,
  create: (settings) => adapter.loaded.createAnthropicAdapter(settings),
};

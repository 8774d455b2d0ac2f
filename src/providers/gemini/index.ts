import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { geminiModels } from "./models.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition = {
  name: "gemini",
  family: "google",
  modelsDevName: "google",
  variables: { apiKey: "GEMINI_API_KEY", baseUrl: "GEMINI_BASE_URL" },
  defaultBaseUrl: "https://generativelanguage.googleapis.com/v1beta",
  onBy: "key",
  models: () => geminiModels,
  load: adapter.load,
  create: (settings) => adapter.loaded.createGeminiAdapter(settings),
};

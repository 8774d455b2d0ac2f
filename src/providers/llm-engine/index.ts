import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { llmEngineModels } from "./models.ts";
import { type Options, optionsSchema } from "./options.ts";

const adapter = lateModule(() => import("./adapter.ts"));

/** Scale's open-source LLM Engine: https://github.com/scaleapi/llm-engine */
export const provider: ProviderDefinition<Options> = {
  name: "llm-engine",
  variables: { apiKey: "LLM_ENGINE_API_KEY", baseUrl: "LLM_ENGINE_BASE_URL" },
  // Scale's client has the same default (llmengine/api_engine.py).
  defaultBaseUrl: "https://api.spellbook.scale.com/llm-engine",
  onBy: "key",
  optionsSchema,
  models: () => llmEngineModels,
  load: adapter.load,
  create: (settings, sandbox) => adapter.loaded.createLlmEngineAdapter(settings, sandbox),
};

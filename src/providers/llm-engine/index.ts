import type { z } from "zod";
import type { ProviderSettings } from "../../config/provider.ts";
import { choice, section, wholeNumber } from "../../config/rules.ts";
import type { Secret } from "../../config/secret.ts";
import { templateChoices } from "../../templates/template-families.ts";
import type { Adapter } from "../adapter.ts";
import { createOpenAiAdapter } from "../chat-completions/index.ts";
import type { ProviderDefinition } from "../definition.ts";
import { chatQuirks } from "./chat.ts";
import { createCompletionsAdapter } from "./completions.ts";
import { llmEngineModels } from "./models.ts";
import { Prompts } from "./prompts.ts";
import { withTemplates } from "./templated-chat.ts";

const optionsSchema = section({
  /** `v2`: chat completions, as OpenAI has them. `v1`: completions of a prompt that is written here. Default v2. */
  api: choice("v2", "v1").prefault("v2"),
  /** How the key is sent: as a bearer token, or as a user without password. Default bearer. */
  auth: choice("bearer", "basic").prefault("bearer"),
  /**
   * The family of models whose template v1's prompts have, and whose variables callers' templates see; `none` for
   * models that only complete texts. Default: the model's template_family, else what the endpoint's name tells of.
   */
  template: choice(...templateChoices).optional(),
  /**
   * In place of timeouts.first_event: endpoints scale down to zero, and the first call waits until one is up again.
   * Milliseconds; 0 turns it off. Default 600,000.
   */
  cold_start_ms: wholeNumber(0).prefault(600_000),
});

type Options = z.output<typeof optionsSchema>;

/** Scale's open-source LLM Engine: https://github.com/scaleapi/llm-engine */
export const provider: ProviderDefinition<Options> = {
  name: "llm-engine",
  variables: { apiKey: "LLM_ENGINE_API_KEY", baseUrl: "LLM_ENGINE_BASE_URL" },
  // The default of Scale's own client (llmengine/api_engine.py).
  defaultBaseUrl: "https://api.spellbook.scale.com/llm-engine",
  onBy: "key",
  optionsSchema,
  models: () => llmEngineModels,
  create: createLlmEngineAdapter,
};

/** The address is that of the engine, without `/v1` or `/v2`. A model's name is that of its endpoint. */
export function createLlmEngineAdapter(settings: ProviderSettings<Options>): Adapter {
  const { apiKey, timeouts } = settings;
  const { api, auth, template, cold_start_ms: firstEventMs } = settings.options;
  const patient = { ...settings, timeouts: { ...timeouts, firstEventMs } };
  const authorization = apiKey ? { authorization: authorize(apiKey, auth) } : {};
  if (api === "v1") return createCompletionsAdapter(patient, authorization, template);
  const endpoint = { path: () => "/v2/chat/completions", authorize: async () => authorization };
  return withTemplates(createOpenAiAdapter(patient, chatQuirks, endpoint), new Prompts(template));
}

function authorize(key: Secret, auth: "bearer" | "basic"): string {
  if (auth === "bearer") return `Bearer ${key.reveal()}`;
  return `Basic ${Buffer.from(`${key.reveal()}:`).toString("base64")}`;
}

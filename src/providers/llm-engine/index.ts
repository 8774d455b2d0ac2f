import type { z } from "zod";
import type { ProviderSettings } from "../../config/provider.ts";
import { choice, section, wholeNumber } from "../../config/rules.ts";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import { templateChoices } from "../../templates/template-families.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Adapter } from "../adapter.ts";
import { createOpenAiAdapter } from "../chat-completions/index.ts";
import type { ProviderDefinition } from "../definition.ts";
import { keyHeader, keyOf } from "../kit/attempt-key.ts";
import { chatQuirks } from "./chat.ts";
import { createCompletionsAdapter } from "./completions.ts";
import { llmEngineModels } from "./models.ts";
import { Prompts } from "./prompts.ts";
import { withTemplates } from "./templated-chat.ts";

const optionsSchema = section({
  /** `v2`: OpenAI-compatible chat completions. `v1`: text completions of a prompt that Dragoman renders. Default v2. */
  api: choice("v2", "v1").prefault("v2"),
  /** How to send the API key: as a bearer token, or as the user name of basic authentication. Default bearer. */
  auth: choice("bearer", "basic").prefault("bearer"),
  /**
   * Template family (prompt format). It selects the stock template for v1 and the variables for callers' templates.
   * `none`: the models support only text completion. Default: the model's `template_family`, else derived from the
   * endpoint's name.
   */
  template: choice(...templateChoices).optional(),
  /**
   * Timeout for the first event in ms, instead of `timeouts.first_event`. An unused endpoint may have no running
   * machine, so the next call waits until one has started. 0 disables the timeout. Default 600,000.
   */
  cold_start_ms: wholeNumber(0).prefault(600_000),
});

type Options = z.output<typeof optionsSchema>;

/** Scale's open-source LLM Engine: https://github.com/scaleapi/llm-engine */
export const provider: ProviderDefinition<Options> = {
  name: "llm-engine",
  variables: { apiKey: "LLM_ENGINE_API_KEY", baseUrl: "LLM_ENGINE_BASE_URL" },
  // Scale's client has the same default (llmengine/api_engine.py).
  defaultBaseUrl: "https://api.spellbook.scale.com/llm-engine",
  onBy: "key",
  optionsSchema,
  models: () => llmEngineModels,
  create: createLlmEngineAdapter,
};

/** Creates the adapter. The base URL must not contain `/v1` or `/v2`. A model's name is that of its endpoint. */
export function createLlmEngineAdapter(settings: ProviderSettings<Options>, sandbox: TemplateSandbox): Adapter {
  const { timeouts } = settings;
  const { api, auth, template, cold_start_ms: firstEventMs } = settings.options;
  const withColdStart = { ...settings, timeouts: { ...timeouts, firstEventMs } };
  const authorize = auth === "basic" ? basicHeader : bearerHeader;
  const prompts = new Prompts(template, sandbox);
  if (api === "v1") return createCompletionsAdapter(withColdStart, (call) => authorize(call, settings), prompts);
  const endpoint = {
    path: () => "/v2/chat/completions",
    authorize: async (call: UpstreamCall) => authorize(call, settings),
  };
  return withTemplates(createOpenAiAdapter(withColdStart, chatQuirks, endpoint), prompts);
}

type Authorize = (call: UpstreamCall, settings: ProviderSettings) => Readonly<Record<string, string>>;

const bearerHeader: Authorize = (call, settings) => keyHeader("authorization", call, settings);

/** Sends the API key as the user name of basic authentication. */
const basicHeader: Authorize = (call, settings) => {
  const key = keyOf(call, settings)?.reveal();
  return key === undefined ? {} : { authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` };
};

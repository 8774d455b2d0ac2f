import type { ProviderSettings } from "../../config/provider.ts";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Adapter } from "../adapter.ts";
import { createOpenAiAdapter } from "../chat-completions/index.ts";
import { keyHeader, keyOf } from "../kit/attempt-key.ts";
import { chatQuirks } from "./chat.ts";
import { createCompletionsAdapter } from "./completions.ts";
import type { Options } from "./options.ts";
import { Prompts } from "./prompts.ts";
import { withTemplates } from "./templated-chat.ts";

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

import { z } from "zod";
import type { ProviderSettings } from "../../config/provider.ts";
import { baseUrl, choice, section, text } from "../../config/rules.ts";
import type { Secret } from "../../config/secret.ts";
import type { Adapter } from "../adapter.ts";
import { createOpenAiAdapter, type Endpoint } from "../chat-completions/index.ts";
import { openAiFields, openAiQuirks } from "../chat-completions/openai-quirks.ts";
import type { Quirks } from "../chat-completions/quirks.ts";
import type { ProviderDefinition } from "../definition.ts";
import { EntraTokens } from "./entra.ts";

const optionsSchema = section({
  /** A dated version, which asks each deployment at an address of its own. Default: the API without versions (v1). */
  api_version: text.optional(),
  /** What `api_key` is: a key of the resource, a token of Microsoft Entra ID, or the secret of an application there. */
  key_type: choice("api-key", "entra-token", "entra-secret").prefault("api-key"),
  /** The application's directory and id at Entra ID. Required with `entra-secret`. */
  tenant_id: text.optional(),
  client_id: text.optional(),
  /** Where Entra ID gives tokens. Default: the public cloud's. */
  authority: baseUrl.prefault("https://login.microsoftonline.com"),
  /**
   * The model behind each deployment, by OpenAI's name, so that OpenAI's rules for it are applied before it is asked.
   * A deployment's own name says nothing of its model.
   */
  models: z.record(z.string(), text).prefault({}),
});

type Options = z.output<typeof optionsSchema>;

/** Azure OpenAI: OpenAI's dialect with addresses, keys and content filters of its own. */
export function createAzureOpenAiAdapter(settings: ProviderSettings<Options>): Adapter {
  const { options, variables } = settings;
  const apiVersion = options.api_version ?? variables.AZURE_OPENAI_API_VERSION;
  const quirks: Quirks = {
    ...openAiQuirks,
    title: "Azure OpenAI",
    fields: { ...openAiFields, user: "user" },
    openAiModel: (deployment) => options.models[deployment],
    // OpenAI's models take system messages for developer messages; others at Azure have no such role.
    developerRole: false,
    // 404 without a word of the deployment is a wrong address or version.
    reasons: { DeploymentNotFound: "MODEL_NOT_FOUND", 404: "PROVIDER_FAULT" },
  };
  return createOpenAiAdapter(
    { ...settings, baseUrl: apiBase(settings.baseUrl) },
    quirks,
    azureEndpoint(settings, apiVersion),
  );
}

/** The address may be given as the resource's endpoint, as its page shows it, or with the path of the API. */
function apiBase(baseUrl: string): string {
  const root = baseUrl.replace(/\/+$/, "").replace(/\/openai(\/v1)?$/, "");
  return `${root}/openai`;
}

function azureEndpoint({ apiKey, options }: ProviderSettings<Options>, apiVersion: string | undefined): Endpoint {
  const query = apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(apiVersion)}`;
  const isDated = /^\d/.test(apiVersion ?? "");
  return {
    path: ({ providerModel }) =>
      isDated
        ? `/deployments/${encodeURIComponent(providerModel)}/chat/completions${query}`
        : `/v1/chat/completions${query}`,
    authorize: authorization(apiKey, options),
  };
}

function authorization(key: Secret | undefined, options: Options): Endpoint["authorize"] {
  if (key === undefined) return async () => ({});
  const { key_type, tenant_id: tenantId = "", client_id: clientId = "", authority } = options;
  switch (key_type) {
    case "api-key":
      return async () => ({ "api-key": key.reveal() });
    case "entra-token":
      return async () => ({ authorization: `Bearer ${key.reveal()}` });
    case "entra-secret": {
      const tokens = new EntraTokens({ authority, tenantId, clientId, clientSecret: key });
      return async (call) => ({ authorization: `Bearer ${await tokens.get(call)}` });
    }
    default:
      return key_type satisfies never;
  }
}

export const provider: ProviderDefinition<Options> = {
  name: "azure-openai",
  family: "openai-chat",
  variables: {
    apiKey: "AZURE_OPENAI_API_KEY",
    baseUrl: "AZURE_OPENAI_BASE_URL",
    others: ["AZURE_OPENAI_API_VERSION"],
  },
  // Every resource has its own.
  defaultBaseUrl: "",
  onBy: "url",
  optionsSchema,
  check({ options: { key_type, tenant_id, client_id } }) {
    if (key_type !== "entra-secret" || (tenant_id !== undefined && client_id !== undefined)) return [];
    const fix = "set both, or write another key_type";
    return [{ path: "options.key_type", problem: "entra-secret needs tenant_id and client_id", fix }];
  },
  // Deployments have names of their owner's.
  models: () => [],
  create: createAzureOpenAiAdapter,
};

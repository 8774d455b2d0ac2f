import { z } from "zod";
import type { ProviderSettings } from "../../config/provider.ts";
import type { Secret } from "../../config/secret.ts";
import type { Adapter } from "../adapter.ts";
import { type Access, createOpenAiAdapter } from "../chat-completions/index.ts";
import type { Quirks } from "../chat-completions/quirks.ts";
import { openAi } from "../chat-completions/servers/hosted.ts";
import type { ProviderDefinition } from "../definition.ts";
import { parseOptions } from "../kit/options.ts";
import { EntraTokens } from "./entra.ts";

/** `providers.azure-openai.options` of the configuration. */
const optionsSchema = z
  .strictObject({
    /** A dated version, which asks each deployment at an address of its own. Default: the API without versions (v1). */
    api_version: z.string().min(1).optional(),
    /** What `api_key` is: a key of the resource, a token of Microsoft Entra ID, or the secret of an application there. */
    key_type: z.enum(["api-key", "entra-token", "entra-secret"]).default("api-key"),
    /** The application's directory and id at Entra ID. Required with `entra-secret`. */
    tenant_id: z.string().min(1).optional(),
    client_id: z.string().min(1).optional(),
    /** Where Entra ID gives tokens. Default: the public cloud's. */
    authority: z.url().default("https://login.microsoftonline.com"),
    /**
     * The model behind each deployment, by OpenAI's name, so that OpenAI's rules for it are applied before it is asked.
     * A deployment's own name says nothing of its model.
     */
    models: z.record(z.string(), z.string()).default({}),
  })
  .refine(({ key_type, tenant_id, client_id }) => key_type !== "entra-secret" || (tenant_id && client_id), {
    path: ["key_type"],
    error: "entra-secret needs tenant_id and client_id",
  });

type Options = z.infer<typeof optionsSchema>;

/** Azure OpenAI: OpenAI's dialect with addresses, keys and content filters of its own. */
export function createAzureOpenAiAdapter(settings: ProviderSettings): Adapter {
  const api_version = process.env.AZURE_OPENAI_API_VERSION || undefined;
  const given = { ...(api_version && { api_version }), ...settings.options };
  const options = parseOptions({ ...settings, options: given }, optionsSchema);
  const quirks: Quirks = {
    ...openAi,
    title: "Azure OpenAI",
    fields: { ...openAi.fields, user: "user" },
    openAiModel: (deployment) => options.models[deployment],
    // OpenAI's models take system messages for developer messages; others at Azure have no such role.
    developerRole: false,
    reasoningReplay: undefined,
    // They go by the model's name, which a deployment's need not be.
    adaptations: undefined,
    // 404 without a word of the deployment is a wrong address or version.
    reasons: { DeploymentNotFound: "MODEL_NOT_FOUND", 404: "PROVIDER_FAULT" },
  };
  return createOpenAiAdapter(
    { ...settings, baseUrl: apiBase(settings.baseUrl) },
    quirks,
    azureAccess(settings, options),
  );
}

/** The address may be given as the resource's endpoint, as its page shows it, or with the path of the API. */
function apiBase(baseUrl: string): string {
  const root = baseUrl.replace(/\/+$/, "").replace(/\/openai(\/v1)?$/, "");
  return `${root}/openai`;
}

function azureAccess({ apiKey }: ProviderSettings, options: Options): Access {
  const { api_version } = options;
  const query = api_version === undefined ? "" : `?api-version=${encodeURIComponent(api_version)}`;
  const isDated = /^\d/.test(api_version ?? "");
  return {
    path: ({ providerModel }) =>
      isDated
        ? `/deployments/${encodeURIComponent(providerModel)}/chat/completions${query}`
        : `/v1/chat/completions${query}`,
    authorize: authorization(apiKey, options),
  };
}

function authorization(key: Secret | undefined, options: Options): Access["authorize"] {
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

export const azureOpenAiDeclaration: ProviderDefinition = {
  name: "azure-openai",
  keyVariable: "AZURE_OPENAI_API_KEY",
  baseUrlVariable: "AZURE_OPENAI_BASE_URL",
  // Every resource has its own.
  defaultBaseUrl: "",
  onBy: "url",
  create: createAzureOpenAiAdapter,
};

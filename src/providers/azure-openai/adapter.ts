import type { ProviderSettings } from "../../config/provider.ts";
import type { Secret } from "../../config/secret.ts";
import { lookUp } from "../../look-up.ts";
import { Upstream } from "../../upstream/http.ts";
import type { Adapter } from "../adapter.ts";
import type { Endpoint } from "../chat-completions/endpoint.ts";
import { createOpenAiAdapter } from "../chat-completions/index.ts";
import { openAiFields, openAiQuirks } from "../chat-completions/openai-quirks.ts";
import type { Quirks } from "../chat-completions/quirks.ts";
import { keyHeader, keyOf } from "../kit/attempt-key.ts";
import { commonHeaders } from "../kit/errors.ts";
import { azureSchemas } from "../kit/schema-rules.ts";
import { withResponses } from "../openai-responses/choose-api.ts";
import { createResponsesAdapter, type ResponsesConnection } from "../openai-responses/index.ts";
import type { ResponsesServer } from "../openai-responses/server.ts";
import { EntraTokens } from "./entra.ts";
import type { Options } from "./options.ts";

/** Creates an adapter for Azure OpenAI: Chat Completions with other URLs and credentials than OpenAI's. */
export function createAzureOpenAiAdapter(settings: ProviderSettings<Options>): Adapter {
  const { options, variables } = settings;
  const apiVersion = options.api_version ?? variables.AZURE_OPENAI_API_VERSION;
  const quirks: Quirks = {
    ...openAiQuirks,
    title: "Azure OpenAI",
    fields: { ...openAiFields, user: "user" },
    schemas: () => azureSchemas,
    openAiModel: (deployment) => lookUp(options.models, deployment),
    // Send developer messages as system messages. At Azure, OpenAI's models treat both alike, and other models do not
    // support the developer role.
    developerRole: false,
    // A 404 without DeploymentNotFound means a wrong base URL or API version.
    reasons: { DeploymentNotFound: "MODEL_NOT_FOUND", 404: "PROVIDER_FAULT" },
  };
  const server: ResponsesServer = {
    title: quirks.title,
    isVendors: true,
    developerRole: quirks.developerRole,
    openAiModel: (deployment) => lookUp(options.models, deployment),
    schemas: azureSchemas,
    reasons: quirks.reasons,
    without: new Set(),
  };
  const connection: ResponsesConnection = {
    settings: { ...settings, baseUrl: apiBase(settings.baseUrl) },
    endpoint: azureEndpoint(settings, apiVersion),
    upstream: new Upstream({ ...settings, baseUrl: apiBase(settings.baseUrl) }, commonHeaders),
  };
  const chat = createOpenAiAdapter(connection.settings, quirks, connection.endpoint, connection.upstream);
  const adapter = withResponses(chat, createResponsesAdapter(connection, server), options.api, server);
  return { ...adapter, vendorModel: server.openAiModel };
}

/** Appends the API's path to the resource's endpoint, unless the base URL already contains it. */
function apiBase(baseUrl: string): string {
  const root = baseUrl.replace(/\/+$/, "").replace(/\/openai(\/v1)?$/, "");
  return `${root}/openai`;
}

function azureEndpoint(settings: ProviderSettings<Options>, apiVersion: string | undefined): Endpoint {
  const query = apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(apiVersion)}`;
  const isDated = /^\d/.test(apiVersion ?? "");
  return {
    path({ providerModel }, method) {
      if (!isDated) return `/v1/${method}${query}`;
      // The body of the Responses API has the deployment.
      const folder = method === "responses" ? "" : `/deployments/${encodeURIComponent(providerModel)}`;
      return `${folder}/${method}${query}`;
    },
    authorize: authorization(settings),
  };
}

function authorization(settings: ProviderSettings<Options>): Endpoint["authorize"] {
  const { options, proxy } = settings;
  const { key_type, tenant_id: tenantId = "", client_id: clientId = "", authority } = options;
  switch (key_type) {
    case "api-key":
      return async (call) => keyHeader("api-key", call, settings);
    case "entra-token":
      return async (call) => keyHeader("authorization", call, settings);
    case "entra-secret": {
      // Each secret has tokens of its own.
      const tokensOf = new WeakMap<Secret, EntraTokens>();
      return async (call) => {
        const clientSecret = keyOf(call, settings);
        if (clientSecret === undefined) return {};
        const tokens =
          tokensOf.get(clientSecret) ?? new EntraTokens({ authority, tenantId, clientId, clientSecret, proxy });
        tokensOf.set(clientSecret, tokens);
        return { authorization: `Bearer ${await tokens.get(call)}` };
      };
    }
    default:
      return key_type satisfies never;
  }
}

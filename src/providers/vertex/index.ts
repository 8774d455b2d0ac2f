import type { z } from "zod";
import type { ProviderSettings } from "../../config/provider.ts";
import { pattern, section, text } from "../../config/rules.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import type { Route } from "../generate-content/adaptations.ts";
import { createGenerateContentAdapter } from "../generate-content/adapter.ts";
import type { Endpoint } from "../generate-content/endpoint.ts";
import { keyHeader } from "../kit/attempt-key.ts";
import { createGoogleTokens, type TokenSource } from "./google-tokens.ts";
import { vertexModels } from "./models.ts";

const globalHost = "aiplatform.googleapis.com";
const route: Route & Pick<Endpoint, "predicts"> = {
  predicts: true,
  title: "Vertex AI",
  penalties: true,
  serviceTier: false,
  storage: true,
};

const optionsSchema = section({
  /** Google Cloud project to bill. Default: GOOGLE_CLOUD_PROJECT, else the project of the credentials. */
  project: pattern(/^[a-z0-9.:-]+$/, "write a project id such as my-project-1").optional(),
  /** `global`, `eu`, `us`, or a region such as `europe-west4`. Default: GOOGLE_CLOUD_LOCATION, else `global`. */
  location: pattern(/^[a-z0-9-]+$/, "write global, eu, us or a region such as europe-west4").optional(),
  /** Path of a service account key file. Default: the application default credentials. */
  key_file: text.optional(),
});

type Options = z.output<typeof optionsSchema>;

/**
 * Creates the adapter for Vertex AI. With an API key, it uses express mode. Without one, it uses access tokens, and a
 * project and a location in the URL.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
 */
export function createVertexAdapter(settings: ProviderSettings<Options>, tokens?: TokenSource): Adapter {
  const { apiKey, options, variables } = settings;
  if (apiKey !== undefined) return createGenerateContentAdapter(settings, expressEndpoint(settings));
  const project = options.project ?? variables.GOOGLE_CLOUD_PROJECT;
  const source = tokens ?? createGoogleTokens(options.key_file, project, settings.proxy);
  const location = options.location ?? variables.GOOGLE_CLOUD_LOCATION ?? "global";
  const isDefault = settings.baseUrl === provider.defaultBaseUrl;
  const baseUrl = isDefault ? `https://${hostOf(location)}` : settings.baseUrl;
  return createGenerateContentAdapter(
    { ...settings, baseUrl },
    {
      ...route,
      async authorize(call) {
        const token = await source.token(call);
        const parent = `projects/${project || (await source.project(call))}/locations/${location}`;
        return {
          pathPrefix: `/v1beta1/${parent}/publishers/google`,
          headers: { authorization: `Bearer ${token}` },
        };
      },
      forget: () => source.forget(),
    },
  );
}

/**
 * Returns the endpoint of express mode: an API key instead of access tokens. The key determines the billed project.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/vertex-ai-express-mode-api-reference
 */
function expressEndpoint(settings: ProviderSettings): Endpoint {
  return {
    ...route,
    authorize: async (call) => ({
      pathPrefix: "/v1/publishers/google",
      headers: keyHeader("x-goog-api-key", call, settings),
    }),
  };
}

export const provider: ProviderDefinition<Options> = {
  name: "vertex",
  family: "google",
  modelsDevName: "google-vertex",
  variables: {
    // With this key, the adapter uses express mode.
    apiKey: "VERTEX_API_KEY",
    baseUrl: "VERTEX_BASE_URL",
    others: ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"],
  },
  defaultBaseUrl: `https://${globalHost}`,
  onBy: "detect",
  detect({ GOOGLE_APPLICATION_CREDENTIALS: credentials, VERTEX_API_KEY: key }) {
    return credentials || key ? undefined : "set GOOGLE_APPLICATION_CREDENTIALS or VERTEX_API_KEY to turn it on";
  },
  optionsSchema,
  check({ apiKey, options }) {
    if (apiKey === undefined) return [];
    const problem = "has no effect with an API key, which replaces project, location and credentials";
    return Object.keys(options).map((name) => ({ path: `options.${name}`, problem, fix: "remove it or the API key" }));
  },
  models: () => vertexModels,
  create: (settings) => createVertexAdapter(settings),
};

/** Returns the host of a location. https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
export function hostOf(location: string): string {
  if (location === "global") return globalHost;
  return location === "eu" || location === "us"
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-${globalHost}`;
}

import type { ProviderSettings } from "../../config/provider.ts";
import type { Adapter } from "../adapter.ts";
import type { Route } from "../generate-content/adaptations.ts";
import { createGenerateContentAdapter } from "../generate-content/adapter.ts";
import type { Endpoint } from "../generate-content/endpoint.ts";
import { keyHeader } from "../kit/attempt-key.ts";
import { createGoogleTokens, type TokenSource } from "./google-tokens.ts";
import { globalHost, type Options } from "./options.ts";

const route: Route & Pick<Endpoint, "predicts"> = {
  predicts: true,
  title: "Vertex AI",
  penalties: true,
  serviceTier: false,
  storage: true,
};

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
  const isDefault = settings.baseUrl === `https://${globalHost}`;
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

/** Returns the host of a location. https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
export function hostOf(location: string): string {
  if (location === "global") return globalHost;
  return location === "eu" || location === "us"
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-${globalHost}`;
}

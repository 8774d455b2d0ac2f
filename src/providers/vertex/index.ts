import { z } from "zod";
import { ConfigError } from "../../config/config-error.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { Secret } from "../../config/secret.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import type { Route } from "../generate-content/adaptations.ts";
import { createGenerateContentAdapter, type Gate } from "../generate-content/adapter.ts";
import { parseOptions } from "../kit/options.ts";
import { createGoogleTokens, type TokenSource } from "./google-tokens.ts";

const globalHost = "aiplatform.googleapis.com";
const route: Route = { title: "Vertex AI", penalties: true, serviceTier: false, storage: true };

const optionsSchema = z.strictObject({
  /** The project that is billed. Default: GOOGLE_CLOUD_PROJECT, else the credentials' own. */
  project: z
    .string()
    .regex(/^[a-z0-9.:-]+$/)
    .optional(),
  /** `global`, a region such as `europe-west4`, or `eu` or `us`. Default: GOOGLE_CLOUD_LOCATION, else `global`. */
  location: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .optional(),
  /** A file with a service account's key. Default: the application default credentials. */
  key_file: z.string().min(1).optional(),
});

/**
 * Vertex AI in Google Cloud: with a key in express mode, else at a project's place.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
 */
export function createVertexAdapter(
  settings: ProviderSettings,
  tokens?: TokenSource,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Adapter {
  const options = parseOptions(settings, optionsSchema);
  const { name, apiKey } = settings;
  if (apiKey !== undefined) return createGenerateContentAdapter(settings, expressGate(apiKey, name, options));
  const project = options.project ?? environment.GOOGLE_CLOUD_PROJECT;
  const source = tokens ?? createGoogleTokens(options.key_file, project);
  const location = options.location || environment.GOOGLE_CLOUD_LOCATION || "global";
  const usual = settings.baseUrl === vertexDeclaration.defaultBaseUrl;
  const baseUrl = usual ? `https://${hostOf(location)}` : settings.baseUrl;
  return createGenerateContentAdapter(
    { ...settings, baseUrl },
    {
      ...route,
      async access(call) {
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
 * Express mode: a key instead of tokens, which says by itself whose project is billed.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/vertex-ai-express-mode-api-reference
 */
function expressGate(key: Secret, name: string, options: object): Gate {
  const unused = Object.keys(options).map((option) => ({
    path: `providers.${name}.options.${option}`,
    problem: "is not used: with a key, Vertex AI has no project, location or credentials",
    fix: "remove it or the key",
  }));
  if (unused.length > 0) throw new ConfigError(unused);
  const access = { pathPrefix: "/v1/publishers/google", headers: { "x-goog-api-key": key.reveal() } };
  return { ...route, access: async () => access };
}

export const vertexDeclaration: ProviderDefinition = {
  name: "vertex",
  // Of express mode.
  keyVariable: "VERTEX_API_KEY",
  baseUrlVariable: "VERTEX_BASE_URL",
  defaultBaseUrl: `https://${globalHost}`,
  onBy: "detect",
  detect: () => detectVertex(),
  create: (settings) => createVertexAdapter(settings),
};

/** Undefined when a variable says who asks, else what to do. */
export function detectVertex(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const { GOOGLE_APPLICATION_CREDENTIALS: credentials, VERTEX_API_KEY: key } = environment;
  return credentials || key ? undefined : "set GOOGLE_APPLICATION_CREDENTIALS or VERTEX_API_KEY to turn it on";
}

/** The host of a location. https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
export function hostOf(location: string): string {
  if (location === "global") return globalHost;
  return location === "eu" || location === "us"
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-${globalHost}`;
}

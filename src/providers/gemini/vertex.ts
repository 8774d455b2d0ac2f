import { z } from "zod";
import type { Adapter } from "../adapter.ts";
import type { ProviderDeclaration } from "../declaration.ts";
import type { ProviderSettings } from "../settings.ts";
import { parseOptions } from "../upstream/options.ts";
import { createGenerateContentAdapter } from "./adapter.ts";
import { createGoogleTokens, type TokenSource } from "./google-tokens.ts";

const globalHost = "aiplatform.googleapis.com";

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

/** Vertex AI in Google Cloud. https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference */
export function createVertexAdapter(
  settings: ProviderSettings,
  tokens?: TokenSource,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Adapter {
  const options = parseOptions(settings, optionsSchema);
  const project = options.project ?? environment.GOOGLE_CLOUD_PROJECT;
  const source = tokens ?? createGoogleTokens(options.key_file, project);
  const location = options.location || environment.GOOGLE_CLOUD_LOCATION || "global";
  const usual = settings.baseUrl === vertexDeclaration.defaultBaseUrl;
  const baseUrl = usual ? `https://${hostOf(location)}` : settings.baseUrl;
  return createGenerateContentAdapter(
    { ...settings, baseUrl },
    {
      title: "Vertex AI",
      penalties: true,
      serviceTier: false,
      storage: true,
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

export const vertexDeclaration: ProviderDeclaration = {
  name: "vertex",
  keyVariable: undefined,
  baseUrlVariable: "VERTEX_BASE_URL",
  defaultBaseUrl: `https://${globalHost}`,
  onBy: "detect",
  detect: () =>
    process.env.GOOGLE_APPLICATION_CREDENTIALS ? undefined : "set GOOGLE_APPLICATION_CREDENTIALS to turn it on",
  create: (settings) => createVertexAdapter(settings),
};

/** The host of a location. https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
export function hostOf(location: string): string {
  if (location === "global") return globalHost;
  return location === "eu" || location === "us"
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-${globalHost}`;
}

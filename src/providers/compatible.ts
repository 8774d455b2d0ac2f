import { hostedServers } from "./compatible/hosted.ts";
import { ownServers } from "./compatible/own-servers.ts";
import type { ProviderDeclaration } from "./declaration.ts";
import { createOpenAiAdapter } from "./openai/index.ts";

/** Every server that speaks OpenAI's dialect, OpenAI first. A new one is an entry in one of the two tables. */
export const compatibleDeclarations: readonly ProviderDeclaration[] = [...hostedServers, ...ownServers].map(
  ({ name, baseUrl, onBy, ...quirks }) => ({
    name,
    keyVariable: `${name.toUpperCase()}_API_KEY`,
    baseUrlVariable: `${name.toUpperCase()}_BASE_URL`,
    defaultBaseUrl: baseUrl,
    onBy,
    create: (settings) => createOpenAiAdapter(settings, quirks),
  }),
);

import { createOpenAiAdapter } from "./chat-completions/index.ts";
import { hostedServers } from "./chat-completions/servers/hosted.ts";
import { ownServers } from "./chat-completions/servers/own-servers.ts";
import type { ProviderDefinition } from "./definition.ts";

/** Every server that speaks OpenAI's dialect, OpenAI first. A new one is an entry in one of the two tables. */
export const compatibleDeclarations: readonly ProviderDefinition[] = [...hostedServers, ...ownServers].map(
  ({ name, baseUrl, onBy, ...quirks }) => ({
    name,
    keyVariable: `${name.toUpperCase()}_API_KEY`,
    baseUrlVariable: `${name.toUpperCase()}_BASE_URL`,
    defaultBaseUrl: baseUrl,
    onBy,
    create: (settings) => createOpenAiAdapter(settings, quirks),
  }),
);

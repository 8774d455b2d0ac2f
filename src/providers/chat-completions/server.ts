import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { commonQuirks, type Quirks } from "./quirks.ts";

/** The adapter of all servers. */
export const openAiAdapter = lateModule(() => import("./index.ts"));

/** Chat Completions server: its base URL, and how it differs from `commonQuirks`. */
interface Server
  extends Pick<ProviderDefinition, "name" | "family" | "modelsDevName">,
    Pick<Quirks, "title" | "fields">,
    Partial<Omit<Quirks, "title" | "fields">> {
  readonly baseUrl: string;
  /** Catalog entries. Default: none; callers reach every model as `<name>/<model>`. */
  readonly models?: readonly Model[];
}

/** Defines a server that its vendor hosts. The provider is configured if its API key is set. */
export function hostedServer(server: Server): ProviderDefinition {
  return define(server, "key");
}

/** Defines a server that operators run themselves. The provider is configured if its base URL is set. */
export function ownServer(server: Server): ProviderDefinition {
  return define(server, "url");
}

/** Defines a provider whose environment variables are `<NAME>_API_KEY` and `<NAME>_BASE_URL`. */
function define(
  { name, family, modelsDevName, baseUrl, models = [], ...quirks }: Server,
  onBy: "key" | "url",
): ProviderDefinition {
  const prefix = name.toUpperCase().replaceAll("-", "_");
  return {
    name,
    ...(family !== undefined && { family }),
    ...(modelsDevName !== undefined && { modelsDevName }),
    variables: { apiKey: `${prefix}_API_KEY`, baseUrl: `${prefix}_BASE_URL` },
    defaultBaseUrl: baseUrl,
    ...(onBy === "url" && { usualPath: "/v1" }),
    onBy,
    modelList: onBy === "url" ? "on" : "off",
    models: () => models,
    load: openAiAdapter.load,
    create: (settings) => openAiAdapter.loaded.createOpenAiAdapter(settings, { ...commonQuirks, ...quirks }),
  };
}

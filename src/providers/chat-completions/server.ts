import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ProviderDefinition } from "../definition.ts";
import { createOpenAiAdapter } from "./index.ts";
import { commonQuirks, type Quirks } from "./quirks.ts";

/** One server of OpenAI's dialect: where it is, and how it differs from `commonQuirks`. */
interface Server
  extends Pick<ProviderDefinition, "name" | "family" | "modelsDevName">,
    Pick<Quirks, "title" | "fields">,
    Partial<Omit<Quirks, "title" | "fields">> {
  readonly baseUrl: string;
  /** Default none: they are reached as `<name>/<model>`. */
  readonly models?: readonly Model[];
}

/** A server that others run, for those with a key. */
export function hostedServer(server: Server): ProviderDefinition {
  return define(server, "key");
}

/** A server of one's own, for those who say where it is. */
export function ownServer(server: Server): ProviderDefinition {
  return define(server, "url");
}

/** Its variables follow from its name: `<NAME>_API_KEY`, `<NAME>_BASE_URL`. */
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
    onBy,
    models: () => models,
    create: (settings) => createOpenAiAdapter(settings, { ...commonQuirks, ...quirks }),
  };
}

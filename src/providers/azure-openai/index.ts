import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { type Options, optionsSchema } from "./options.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition<Options> = {
  name: "azure-openai",
  family: "openai-chat",
  variables: {
    apiKey: "AZURE_OPENAI_API_KEY",
    baseUrl: "AZURE_OPENAI_BASE_URL",
    others: ["AZURE_OPENAI_API_VERSION"],
  },
  // There is no default, since every Azure resource has its own base URL.
  defaultBaseUrl: "",
  onBy: "url",
  optionsSchema,
  check({ options: { key_type, tenant_id, client_id } }) {
    if (key_type !== "entra-secret" || (tenant_id !== undefined && client_id !== undefined)) return [];
    const fix = "set both, or set another key_type";
    return [{ path: "options.key_type", problem: "entra-secret needs tenant_id and client_id", fix }];
  },
  // No catalog entries: every operator chooses the names of the deployments.
  models: () => [],
  load: adapter.load,
  create: (settings) => adapter.loaded.createAzureOpenAiAdapter(settings),
};

import type { ProviderDefinition } from "../definition.ts";
import { openServerFields } from "./field-sets.ts";
import { anyServerExtras } from "./open-server-extras.ts";
import { commonQuirks } from "./quirks.ts";
import { openAiAdapter } from "./server.ts";

/**
 * Dialect of a server with the Chat Completions API that Dragoman does not know. The operator names such a provider, so
 * errors and warnings have that name. Dragoman sends the fields that the common open servers support, and passes on those
 * that only one of them has.
 */
export const anyServer: ProviderDefinition = {
  name: "chat-completions",
  variables: { apiKey: "", baseUrl: "" },
  defaultBaseUrl: "",
  onBy: "url",
  modelList: "on",
  models: () => [],
  load: openAiAdapter.load,
  create: (settings) =>
    openAiAdapter.loaded.createOpenAiAdapter(settings, {
      ...commonQuirks,
      title: settings.name,
      embeddings: { form: "numbers", dimensions: "dimensions", tokens: true, user: true },
      fields: {
        ...openServerFields,
        "parameters.max_output_tokens": "max_tokens",
        "parameters.n": "n",
        user: "user",
      },
      toolNames: undefined,
      extraFields: anyServerExtras,
    }),
};

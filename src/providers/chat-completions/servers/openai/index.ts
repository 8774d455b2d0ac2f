import type { ProviderDefinition } from "../../../definition.ts";
import { lateModule } from "../../../late-module.ts";
import { hostedServer } from "../../server.ts";
import { openAiModels } from "./models.ts";
import { type Options, optionsSchema, quirks } from "./options.ts";

const adapter = lateModule(() => import("./adapter.ts"));

export const provider: ProviderDefinition<Options> = {
  ...hostedServer({
    ...quirks,
    name: "openai",
    family: "openai-chat",
    baseUrl: "https://api.openai.com/v1",
    models: openAiModels,
    modelsDevName: "openai",
  }),
  optionsSchema,
  load: adapter.load,
  create: (settings) => adapter.loaded.createOpenAiAdapter(settings),
};

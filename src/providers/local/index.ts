import type { ProviderDefinition } from "../definition.ts";
import { lateModule } from "../late-module.ts";
import { detectLocal } from "./home.ts";
import { localModels } from "./models.ts";
import { type LocalOptions, optionsSchema } from "./options.ts";

const adapter = lateModule(() => import("./adapter.ts"));

/** Language model inside Dragoman. Needs no key; configured after `dragoman local prepare` has downloaded its files. */
export const provider: ProviderDefinition<LocalOptions> = {
  name: "local",
  variables: {
    others: ["DRAGOMAN_LOCAL_HOME", "DRAGOMAN_LOCAL_MODEL", "DRAGOMAN_LOCAL_EMBEDDING_MODEL", "XDG_DATA_HOME"],
  },
  defaultBaseUrl: "",
  onBy: "detect",
  isInProcess: true,
  detect: detectLocal,
  optionsSchema,
  models: localModels,
  prepare: async (...given) => (await import("./prepare/prepare.ts")).prepareLocal(...given),
  load: adapter.load,
  create: (settings, sandbox) => adapter.loaded.createLocal(settings, sandbox),
};

import type { ModelNamespace } from "../openai-shape/namespace.ts";

/**
 * Models that DeepInfra's API names without the prefix `deepinfra/`. Dragoman sends unknown names to DeepInfra, which
 * rejects them.
 */
export const deepinfraNamespace: ModelNamespace = {
  provider: "deepinfra",
  profile: "deepinfra",
  rejectsForeign: false,
};

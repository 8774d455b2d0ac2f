import type { ModelNamespace } from "../openai-shape/namespace.ts";

/** Models that bare names select in DeepInfra's API. DeepInfra, not Dragoman, rejects unknown names. */
export const deepinfraNamespace: ModelNamespace = {
  provider: "deepinfra",
  profile: "deepinfra",
  rejectsForeign: false,
};

import type { ModelNamespace } from "../openai-shape/namespace.ts";

/** The models that a bare name means in DeepInfra's API. DeepInfra itself rejects the names that it does not know. */
export const deepinfraNamespace: ModelNamespace = {
  provider: "deepinfra",
  profile: "deepinfra",
  rejectsForeign: false,
};

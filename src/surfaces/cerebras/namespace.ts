import type { ModelNamespace } from "../openai-shape/namespace.ts";

/** The models that a bare name means in Cerebras' API. */
export const cerebrasNamespace: ModelNamespace = { provider: "cerebras", profile: "cerebras", rejectsForeign: true };

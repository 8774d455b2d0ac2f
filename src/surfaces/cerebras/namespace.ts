import type { ModelNamespace } from "../openai-shape/namespace.ts";

/** Models that bare names select in Cerebras' API. Dragoman rejects other providers' models. */
export const cerebrasNamespace: ModelNamespace = { provider: "cerebras", profile: "cerebras", rejectsForeign: true };

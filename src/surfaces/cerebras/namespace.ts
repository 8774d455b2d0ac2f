import type { ModelNamespace } from "../openai-shape/namespace.ts";

/** Models that Cerebras' API names without the prefix `cerebras/`. Dragoman rejects other providers' models. */
export const cerebrasNamespace: ModelNamespace = { provider: "cerebras", profile: "cerebras", rejectsForeign: true };

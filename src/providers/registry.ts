import type { Environment } from "../config/environment.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { egpModels } from "../models/egp-models.ts";
import { anyServer } from "./chat-completions/any-server.ts";
import type { ProviderDefinition } from "./definition.ts";

/** Entry files of all providers. To remove a provider, delete its folder and its line here. */
const folders = await Promise.all([
  import("./echo/index.ts"),
  import("./chat-completions/servers/openai/index.ts"),
  import("./chat-completions/servers/cerebras/index.ts"),
  import("./chat-completions/servers/deepinfra/index.ts"),
  import("./chat-completions/servers/groq/index.ts"),
  import("./chat-completions/servers/together/index.ts"),
  import("./chat-completions/servers/fireworks/index.ts"),
  import("./chat-completions/servers/openrouter/index.ts"),
  import("./chat-completions/servers/xai/index.ts"),
  import("./chat-completions/servers/deepseek/index.ts"),
  import("./chat-completions/servers/moonshot/index.ts"),
  import("./chat-completions/servers/perplexity/index.ts"),
  import("./chat-completions/servers/vllm/index.ts"),
  import("./chat-completions/servers/sglang/index.ts"),
  import("./chat-completions/servers/ollama/index.ts"),
  import("./chat-completions/servers/llamacpp/index.ts"),
  import("./chat-completions/servers/lmstudio/index.ts"),
  import("./azure-openai/index.ts"),
  import("./anthropic/index.ts"),
  import("./llm-engine/index.ts"),
  import("./mistral/index.ts"),
  import("./cohere/index.ts"),
  import("./gemini/index.ts"),
  import("./vertex/index.ts"),
  import("./bedrock/index.ts"),
  import("./local/index.ts"),
]);

/** All providers, in the order in which Dragoman logs them at startup. */
export const providers: readonly ProviderDefinition[] = folders.map(({ provider }) => provider);

/** Definitions that `providers.<name>.dialect` can name: all providers, and servers that Dragoman does not know. */
export const dialects: readonly ProviderDefinition[] = [...providers, anyServer];

/**
 * Returns the model catalog, and sets each entry's API family. If two entries have the same provider and provider
 * model, callers get the first one for `provider/model`. The entries of Scale EGP's list therefore come last.
 */
export function listedModels(environment: Environment): readonly Model[] {
  const families = new Map(providers.map(({ name, family = name }) => [name, family]));
  return [...providers.flatMap((provider) => provider.models(environment)), ...egpModels].map((model) => ({
    ...model,
    family: families.get(model.provider) ?? model.provider,
  }));
}

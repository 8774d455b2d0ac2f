import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { withFamily } from "../models/api-family.ts";
import { egpModels } from "../models/egp-models.ts";
import { anthropicModels } from "./anthropic/models.ts";
import { bedrockModels } from "./bedrock/models.ts";
import { cerebrasModels } from "./chat-completions/servers/cerebras/models.ts";
import { deepinfraModels } from "./chat-completions/servers/deepinfra/models.ts";
import { hostedModels } from "./chat-completions/servers/hosted-models.ts";
import { openaiModels } from "./chat-completions/servers/openai/models.ts";
import { cohereModels } from "./cohere/models.ts";
import { echoModels } from "./echo/index.ts";
import { geminiModels } from "./gemini/models.ts";
import { llmEngineModels } from "./llm-engine/models.ts";
import { localModels } from "./local/models.ts";
import { mistralModels } from "./mistral/models.ts";

/**
 * The models of every provider that this service knows by name, each with its family. A new provider adds its list here.
 * Where two entries are the same model of a provider, `provider/model` is the first: a provider's own before EGP's.
 */
export function listedModels(): readonly Model[] {
  return [
    ...openaiModels,
    ...anthropicModels,
    ...geminiModels,
    ...bedrockModels,
    ...cerebrasModels,
    ...deepinfraModels,
    ...mistralModels,
    ...cohereModels,
    ...hostedModels,
    ...llmEngineModels,
    ...egpModels,
    ...echoModels,
    ...localModels(),
  ].map(withFamily);
}

import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { anthropicModels } from "../models/anthropic-models.ts";
import { bedrockModels } from "../models/bedrock-models.ts";
import { cerebrasModels } from "../models/cerebras-models.ts";
import { cohereModels } from "../models/cohere-models.ts";
import { deepinfraModels } from "../models/deepinfra-models.ts";
import { egpModels } from "../models/egp-models.ts";
import { withFamily } from "../models/families.ts";
import { geminiModels } from "../models/gemini-models.ts";
import { hostedModels } from "../models/hosted-models.ts";
import { llmEngineModels } from "../models/llm-engine-models.ts";
import { mistralModels } from "../models/mistral-models.ts";
import { openaiModels } from "../models/openai-models.ts";
import { echoModels } from "./echo/echo.ts";
import { localModels } from "./local/models.ts";

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

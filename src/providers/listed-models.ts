import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { anthropicModels } from "../models/anthropic-models.ts";
import { bedrockModels } from "../models/bedrock-models.ts";
import { cerebrasModels } from "../models/cerebras-models.ts";
import { cohereModels } from "../models/cohere-models.ts";
import { geminiModels } from "../models/gemini-models.ts";
import { llmEngineModels } from "../models/llm-engine-models.ts";
import { mistralModels } from "../models/mistral-models.ts";
import { openaiModels } from "../models/openai-models.ts";
import { echoModels } from "./echo/echo.ts";
import { localModels } from "./local/models.ts";

/** The models of every provider that this service knows by name. A new provider adds its list here. */
export function listedModels(): readonly Model[] {
  return [
    ...openaiModels,
    ...anthropicModels,
    ...geminiModels,
    ...bedrockModels,
    ...cerebrasModels,
    ...mistralModels,
    ...cohereModels,
    ...llmEngineModels,
    ...echoModels,
    ...localModels(),
  ];
}

import type { Dialect } from "../dialect.ts";
import { anthropicDialect } from "./anthropic.ts";
import { azureOpenAiDialect } from "./azure-openai.ts";
import { bedrockDialect } from "./bedrock.ts";
import { cerebrasDialect } from "./cerebras.ts";
import { cohereDialect } from "./cohere.ts";
import { compatibleDialects } from "./compatible.ts";
import { deepInfraDialect } from "./deepinfra.ts";
import { geminiDialect } from "./gemini.ts";
import { llmEngineCompletionsDialect, llmEngineDialect } from "./llm-engine.ts";
import { mistralDialect } from "./mistral.ts";
import { openAiDialect } from "./openai.ts";
import { vertexDialect } from "./vertex.ts";

/** Every dialect. */
export const dialects: readonly Dialect[] = [
  openAiDialect,
  azureOpenAiDialect,
  anthropicDialect,
  bedrockDialect,
  cerebrasDialect,
  cohereDialect,
  deepInfraDialect,
  geminiDialect,
  llmEngineDialect,
  llmEngineCompletionsDialect,
  mistralDialect,
  vertexDialect,
  ...compatibleDialects,
];

import { anthropicDeclaration } from "./anthropic/index.ts";
import { azureOpenAiDeclaration } from "./azure-openai/index.ts";
import { bedrockDeclaration } from "./bedrock/index.ts";
import { cohereDeclaration } from "./cohere/index.ts";
import { compatibleDeclarations } from "./compatible.ts";
import type { ProviderDefinition } from "./definition.ts";
import { createEcho } from "./echo/index.ts";
import { geminiDeclaration } from "./gemini/index.ts";
import { llmEngineDeclaration } from "./llm-engine/index.ts";
import { localProvider } from "./local/index.ts";
import { mistralDeclaration } from "./mistral/index.ts";
import { vertexDeclaration } from "./vertex/index.ts";

/** Every provider that this service can speak to. A new one is a line here. */
export const declarations: readonly ProviderDefinition[] = [
  {
    name: "echo",
    keyVariable: undefined,
    baseUrlVariable: undefined,
    defaultBaseUrl: "",
    onBy: "always",
    create: createEcho,
  },
  ...compatibleDeclarations,
  azureOpenAiDeclaration,
  anthropicDeclaration,
  llmEngineDeclaration,
  mistralDeclaration,
  cohereDeclaration,
  geminiDeclaration,
  vertexDeclaration,
  bedrockDeclaration,
  localProvider,
];

import type { Client } from "./client.ts";
import { agentsChat, agentsResponses } from "./clients/agents.ts";
import { aiSdkAnthropic, aiSdkOpenAi } from "./clients/ai-sdk.ts";
import { anthropicSdk } from "./clients/anthropic.ts";
import { claudeCode } from "./clients/claude-code.ts";
import { codex } from "./clients/codex.ts";
import { openAiChat } from "./clients/openai-chat.ts";
import { openAiResponses } from "./clients/openai-responses.ts";

/** The clients of the matrix. */
export const clients: readonly Client[] = [
  openAiResponses,
  openAiChat,
  agentsResponses,
  agentsChat,
  aiSdkOpenAi,
  aiSdkAnthropic,
  anthropicSdk,
  codex,
  claudeCode,
];

import { openAiQuirks } from "../../openai-quirks.ts";
import { hostedServer } from "../../server.ts";
import { openAiAdaptations } from "./adaptations.ts";
import { openAiModels } from "./models.ts";

export const provider = hostedServer({
  ...openAiQuirks,
  name: "openai",
  title: "OpenAI",
  family: "openai-chat",
  baseUrl: "https://api.openai.com/v1",
  models: openAiModels,
  modelsDevName: "openai",
  allowedTools: true,
  adaptations: openAiAdaptations,
});

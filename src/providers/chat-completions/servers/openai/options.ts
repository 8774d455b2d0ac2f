import type { z } from "zod";
import { section } from "../../../../config/rules.ts";
import { apiOption } from "../../../openai-responses/api-option.ts";
import { openAiQuirks } from "../../openai-quirks.ts";
import { openAiAdaptations } from "./adaptations.ts";

export const optionsSchema = section({
  /** API that serves chat requests. `auto`: Chat Completions, and Responses for what only it can do. */
  api: apiOption.prefault("auto"),
});

export type Options = z.output<typeof optionsSchema>;

export const quirks = { ...openAiQuirks, title: "OpenAI", allowedTools: true, adaptations: openAiAdaptations } as const;

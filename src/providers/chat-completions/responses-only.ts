import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";

/**
 * Models that OpenAI serves only on its Responses API. The patterns are about whole names, with the date of a snapshot:
 * OpenAI answers a misspelt name with model_not_found.
 */
export const responsesOnly: FamilyRules<true> = {
  about: "OpenAI's models that Chat Completions does not serve",
  sources: [
    { from: "model catalog of @ai-sdk/openai 4.0.118: GPT-5 pro, codex models", read: "2026-11-28" },
    { from: "type ResponsesModel of openai 7.55.0: pro and deep research models, computer use", read: "2026-11-30" },
  ],
  families: [
    {
      pattern: /(?:^|[/:])(?:gpt-\d+(?:\.\d+)?-(?:pro|codex(?:-max|-mini)?)|o\d+-pro|codex-mini)(?=$|-\d{4})/,
      versions: [["1", true]],
    },
    { pattern: /(?:^|[/:])(?:o\d+(?:-mini)?-deep-research|computer-use-preview)(?=$|-\d{4})/, versions: [["1", true]] },
  ],
};

export function isResponsesOnly(name: string): boolean {
  return rulesFor(responsesOnly, name) ?? false;
}
